-- Writing memberships, effect first (design: "Effect first, then write from the effect"). Every statement serves a
-- wave: activities of one kind, one account and one transaction that may be written side by side.

-- name: freeze_contacts
-- The frozen sources of activities that name contacts by id, who are found as by `lock_contacts`. Answers what was found,
-- so that the rest can be reported.
insert into activity_source (account_id, sequence, batch, chunk, bits)
select
    :account_id, w.sequence, :batch, (c.contact_no / ${chunk_bits})::int,
    bit_or(set_bit(B''::bit(${chunk_bits}), (c.contact_no % ${chunk_bits})::int, 1))
from unnest(:sequences::bigint[], :contact_ids::uuid[]) w(sequence, contact_id)
cross join lateral (
    select contact_no from contact where account_id = :account_id and contact_id = w.contact_id limit 1
) c
group by w.sequence, c.contact_no / ${chunk_bits}
returning sequence, bit_count(bits) as found;

-- name: unknown_contacts
-- Which of the named contacts do not exist in the account, in the order given.
select w.sequence, w.contact_id
from unnest(:sequences::bigint[], :contact_ids::uuid[]) with ordinality w(sequence, contact_id, place)
where not exists (select from contact c where c.account_id = :account_id and c.contact_id = w.contact_id)
order by w.place;

-- name: lock_masks!
-- Keeps the contacts of a wave's sources from being deleted or unsubscribed until it has written. Locks the chunks of
-- "exists" and "active" FOR SHARE, in (set, chunk) order; creators, deleters and unsubscribers take them FOR UPDATE.
select from set_chunk
where account_id = :account_id and set_no in (${exists}, ${active}) and chunk in (
    select chunk from activity_source
    where account_id = :account_id and sequence = any(:sequences) and batch = :batch
)
order by set_no, chunk
for share;

-- name: lock_sets
-- Locks the rows of all sets to be written, ascending; deleted ones are left out of the answer.
select set_no from contact_set
where account_id = :account_id and set_no = any(:set_nos) and deleted_at is null
order by set_no
for no key update;

-- name: skip_deleted!
-- Records which selected contacts do not exist any more.
insert into activity_skipped (account_id, sequence, code, batch, chunk, bits)
select s.account_id, s.sequence, 'contact_deleted', s.batch, s.chunk,
    s.bits & ~coalesce(m.bits, B''::bit(${chunk_bits}))
from activity_source s
left join set_chunk m on m.account_id = :account_id and m.set_no = ${exists} and m.chunk = s.chunk
where s.account_id = :account_id and s.sequence = any(:sequences) and s.batch = :batch
    and bit_count(s.bits & ~coalesce(m.bits, B''::bit(${chunk_bits}))) > 0;

-- name: skip_unsubscribed!
-- Records which selected contacts are unsubscribed.
insert into activity_skipped (account_id, sequence, code, batch, chunk, bits)
select s.account_id, s.sequence, 'contact_unsubscribed', s.batch, s.chunk, s.bits & m.bits
from activity_source s
join set_chunk m on m.account_id = :account_id and m.set_no = ${unsubscribed} and m.chunk = s.chunk
where s.account_id = :account_id and s.sequence = any(:sequences) and s.batch = :batch
    and bit_count(s.bits & m.bits) > 0;

-- name: mask_sources!
-- Takes the skipped contacts out of the frozen sources.
update activity_source s set bits = s.bits & ~k.bits
from (
    select sequence, chunk, bit_or(bits) as bits from activity_skipped
    where account_id = :account_id and sequence = any(:sequences) and batch = :batch
    group by sequence, chunk
) k
where s.account_id = :account_id and s.sequence = k.sequence and s.batch = :batch and s.chunk = k.chunk;

-- name: turn_on!
-- Effects of adding: source & ~set, for every target set and chunk where that is not empty. What an earlier activity
-- of the wave adds is not counted again.
insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
select
    :account_id, sequence, :batch, set_no, chunk, true, position(B'1' in bits) - 1,
    case bit_count(bits) when 1 then position(B'1' in bits) - 1 else ${chunk_bits} - 1 end, bits
from (
    select t.sequence, t.set_no, s.chunk, s.bits
        & ~coalesce(c.bits, B''::bit(${chunk_bits}))
        & ~coalesce(
            bit_or(s.bits) over (
                partition by t.set_no, s.chunk order by t.sequence rows between unbounded preceding and 1 preceding
            ),
            B''::bit(${chunk_bits})
        ) as bits
    from unnest(:target_sequences::bigint[], :target_sets::integer[]) t(sequence, set_no)
    join activity_source s on s.account_id = :account_id and s.sequence = t.sequence and s.batch = :batch
    left join set_chunk c on c.account_id = :account_id and c.set_no = t.set_no and c.chunk = s.chunk
) e
where bit_count(bits) > 0;

-- name: turn_off!
-- Effects of removing: source & set, for every target set and chunk where that is not empty. What an earlier activity
-- of the wave removes is not counted again.
insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
select
    :account_id, sequence, :batch, set_no, chunk, false, position(B'1' in bits) - 1,
    case bit_count(bits) when 1 then position(B'1' in bits) - 1 else ${chunk_bits} - 1 end, bits
from (
    select t.sequence, t.set_no, s.chunk, s.bits & c.bits
        & ~coalesce(
            bit_or(s.bits) over (
                partition by t.set_no, s.chunk order by t.sequence rows between unbounded preceding and 1 preceding
            ),
            B''::bit(${chunk_bits})
        ) as bits
    from unnest(:target_sequences::bigint[], :target_sets::integer[]) t(sequence, set_no)
    join activity_source s on s.account_id = :account_id and s.sequence = t.sequence and s.batch = :batch
    join set_chunk c on c.account_id = :account_id and c.set_no = t.set_no and c.chunk = s.chunk
) e
where bit_count(bits) > 0;

-- name: write_additions!
-- Writes the effects of adding into the sets, in (set, chunk) order.
insert into set_chunk (account_id, set_no, chunk, lowest, highest, bits)
select :account_id, set_no, chunk, min(lowest), max(highest), bit_or(bits) from effect
where account_id = :account_id and sequence = any(:sequences) and batch = :batch and turned_on
group by set_no, chunk
order by set_no, chunk
on conflict (account_id, set_no, chunk) do update set
    bits = set_chunk.bits | excluded.bits,
    lowest = least(set_chunk.lowest, excluded.lowest), highest = greatest(set_chunk.highest, excluded.highest);

-- name: write_removals!
-- Writes the effects of removing into the sets, whose rows are locked.
update set_chunk c set bits = c.bits & ~e.bits
from (
    select set_no, chunk, bit_or(bits) as bits from effect
    where account_id = :account_id and sequence = any(:sequences) and batch = :batch and not turned_on
    group by set_no, chunk
) e
where c.account_id = :account_id and c.set_no = e.set_no and c.chunk = e.chunk;

-- name: count_effects!
-- Adds the effects to the sets' member counts.
update contact_set s set member_count = s.member_count + e.change
from (
    select set_no, sum(case when turned_on then bit_count(bits) else -bit_count(bits) end) as change from effect
    where account_id = :account_id and sequence = any(:sequences) and batch = :batch
    group by set_no
) e
where s.account_id = :account_id and s.set_no = e.set_no;

-- name: membership_results
-- What each activity of the wave did: contacts written, contacts skipped, memberships changed.
select
    w.sequence,
    (
        select coalesce(sum(bit_count(s.bits)), 0)::bigint from activity_source s
        where s.account_id = :account_id and s.sequence = w.sequence and s.batch = :batch
    ) as written,
    (
        select coalesce(sum(bit_count(k.bits)), 0)::bigint from activity_skipped k
        where k.account_id = :account_id and k.sequence = w.sequence and k.batch = :batch
    ) as skipped,
    (
        select coalesce(sum(bit_count(e.bits)), 0)::bigint from effect e
        where e.account_id = :account_id and e.sequence = w.sequence and e.batch = :batch
    ) as changed
from unnest(:sequences::bigint[]) w(sequence);

-- name: freeze_chunks!
-- The frozen source of an activity, as it was worked out.
insert into activity_source (account_id, sequence, batch, chunk, bits)
select :account_id, :sequence, 0, s.chunk, s.bits from unnest(:chunks::integer[], :bits::varbit[]) s(chunk, bits);

-- name: freeze_by_set!
-- Frozen sources of an activity whose sets have each their own: that of a set is the batch with its number.
insert into activity_source (account_id, sequence, batch, chunk, bits)
select :account_id, :sequence, s.set_no, s.chunk, s.bits
from unnest(:set_nos::integer[], :chunks::integer[], :bits::varbit[]) s(set_no, chunk, bits);

-- name: add_effects!
-- Effects that were worked out beside the database, all on or all off.
insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
select
    :account_id, :sequence, 0, e.set_no, e.chunk, :turned_on, position(B'1' in e.bits) - 1,
    case bit_count(e.bits) when 1 then position(B'1' in e.bits) - 1 else ${chunk_bits} - 1 end, e.bits
from unnest(:set_nos::integer[], :chunks::integer[], :bits::varbit[]) e(set_no, chunk, bits)
where bit_count(e.bits) > 0;

-- name: chunks_of_sets
-- The stored bits of these chunks of sets.
select c.set_no, c.chunk, c.bits
from unnest(:set_nos::integer[], :chunks::integer[]) k(set_no, chunk)
join set_chunk c on c.account_id = :account_id and c.set_no = k.set_no and c.chunk = k.chunk;
