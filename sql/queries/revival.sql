-- Bringing deleted contacts back: their tags come back with them, their lists do not (design, "One policy where dialects
-- differ"). What a deletion took away is read from its effect (engine/sets/revival.py).

-- name: turn_on_tags_again!
-- Effects of giving contacts, those of a source (:sequence, :source), the tags again that the last deletion of each took
-- away, as far as the tags are still there; written as the activity's :batch. The last deletion is the latest effect that
-- turned off "exists"; an earlier one does not count for whoever a later one deleted again. Locks the rows of these tags,
-- and of the sets :also that the transaction will write next, in one ascending order.
with latest as (
    select sequence, chunk, bits from (
        select d.sequence, d.chunk, s.bits & d.bits & ~coalesce(
            bit_or(d.bits) over (
                partition by d.chunk order by d.sequence desc, d.batch desc
                rows between unbounded preceding and 1 preceding
            ),
            B''::bit(${chunk_bits})
        ) as bits
        from activity_source s
        join effect d on d.account_id = :account_id and d.set_no = ${exists} and not d.turned_on and d.chunk = s.chunk
        where s.account_id = :account_id and s.sequence = :sequence and s.batch = :source
            and bit_count(s.bits & d.bits) > 0
    ) deletion
    where bit_count(bits) > 0
),
lost as materialized (
    select e.set_no, e.chunk, bit_or(e.bits & l.bits) as bits
    from latest l
    join effect e on e.account_id = :account_id and e.sequence = l.sequence and e.chunk = l.chunk
    where e.set_no > 0 and not e.turned_on and bit_count(e.bits & l.bits) > 0
    group by e.set_no, e.chunk
),
locked as materialized (
    select set_no, kind from contact_set
    where account_id = :account_id and deleted_at is null
        and (set_no = any(:also::integer[]) or kind = 'tag' and set_no in (select set_no from lost))
    order by set_no
    for no key update
)
insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
select
    :account_id, :sequence, :batch, set_no, chunk, true, position(B'1' in bits) - 1,
    case bit_count(bits) when 1 then position(B'1' in bits) - 1 else ${chunk_bits} - 1 end, bits
from (
    select l.set_no, l.chunk, l.bits & ~coalesce(c.bits, B''::bit(${chunk_bits})) as bits
    from locked k
    join lost l on l.set_no = k.set_no
    left join set_chunk c on c.account_id = :account_id and c.set_no = l.set_no and c.chunk = l.chunk
    where k.kind = 'tag'
) e
where bit_count(bits) > 0;

-- name: tags_before_deletion
-- The living tags that the last deletion of each of these contacts took off.
select n.contact_no, e.set_no
from unnest(:contact_nos::bigint[]) n(contact_no)
cross join lateral (
    select (n.contact_no / ${chunk_bits})::int as chunk, (n.contact_no % ${chunk_bits})::int as place
) bit
cross join lateral (
    select d.sequence from effect d
    where d.account_id = :account_id and d.set_no = ${exists} and d.chunk = bit.chunk and not d.turned_on
        and bit.place between d.lowest and d.highest and get_bit(d.bits, bit.place) = 1
    order by d.sequence desc
    limit 1
) deletion
join effect e on e.account_id = :account_id and e.sequence = deletion.sequence and e.chunk = bit.chunk
    and not e.turned_on
join contact_set s on s.account_id = :account_id and s.set_no = e.set_no and s.kind = 'tag' and s.deleted_at is null
where get_bit(e.bits, bit.place) = 1;
