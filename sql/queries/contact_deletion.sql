-- Deleting the contacts of the frozen source of activity :source, chunks :first to :last of it at a time, which activity
-- :sequence does: the same, or one that retries it (engine/contacts/deletion.py).

-- name: chunks_of_source
-- The chunks of a frozen source after one, with how many contacts it has in each.
select chunk, bit_count(bits) as contacts from activity_source
where account_id = :account_id and sequence = :source and batch = 0 and chunk > :after and bit_count(bits) > 0
order by chunk;

-- name: lock_doomed_contacts!
-- Locks the rows of the contacts, by contact number; of deleted ones, too, so that nobody revives them meanwhile.
select from contact c
join activity_source s on s.account_id = :account_id and s.sequence = :source and s.batch = 0
    and s.chunk = (c.contact_no / ${chunk_bits})::int
where c.account_id = :account_id
    and c.contact_no between :first::bigint * ${chunk_bits} and :last::bigint * ${chunk_bits} + ${chunk_bits} - 1
    and get_bit(s.bits, (c.contact_no % ${chunk_bits})::int) = 1
order by c.contact_no
for update of c;

-- name: lock_masks_of_run!
-- Whoever deletes contacts takes the chunks of "exists" and "active" FOR UPDATE: nobody puts them into sets after that.
select from set_chunk
where account_id = :account_id and set_no in (${exists}, ${active}) and chunk between :first and :last
order by set_no, chunk
for update;

-- name: lock_sets_of_run
-- Locks the rows of all sets that have some of the contacts, ascending. Through the index set_chunk_by_cell: of many sets few
-- have members in a chunk.
select set_no from contact_set
where account_id = :account_id and deleted_at is null and set_no in (
    select c.set_no from activity_source s
    cross join lateral (
        select set_no, bits from set_chunk where account_id = :account_id and chunk = s.chunk offset 0
    ) c
    where s.account_id = :account_id and s.sequence = :source and s.batch = 0
        and s.chunk between :first and :last and bit_count(c.bits & s.bits) > 0
)
order by set_no
for no key update;

-- name: skip_deleted_of_run$
-- Records which of the contacts were deleted already; answers how many.
with skipped as (
    insert into activity_skipped (account_id, sequence, code, batch, chunk, bits)
    select :account_id, :sequence, :code, :batch, s.chunk, s.bits & ~coalesce(m.bits, B''::bit(${chunk_bits}))
    from activity_source s
    left join set_chunk m on m.account_id = :account_id and m.set_no = ${exists} and m.chunk = s.chunk
    where s.account_id = :account_id and s.sequence = :source and s.batch = 0 and s.chunk between :first and :last
        and bit_count(s.bits & ~coalesce(m.bits, B''::bit(${chunk_bits}))) > 0
    returning bits
)
select coalesce(sum(bit_count(bits)), 0)::bigint from skipped;

-- name: mark_doomed_contacts!
-- Marks the contacts as deleted; who had not opted out is opted out by the account (contract v3.md 6, 10).
update contact c set
    deleted_at = now(),
    opt_out_source = coalesce(c.opt_out_source, 'Account'),
    opt_out_date = coalesce(c.opt_out_date, now())
from activity_source s
where s.account_id = :account_id and s.sequence = :source and s.batch = 0 and s.chunk between :first and :last
    and c.account_id = :account_id and c.deleted_at is null
    and c.contact_no between s.chunk::bigint * ${chunk_bits} and s.chunk::bigint * ${chunk_bits} + ${chunk_bits} - 1
    and get_bit(s.bits, (c.contact_no % ${chunk_bits})::int) = 1;

-- name: clear_run$
-- Effects of taking the contacts out of sets; answers how many memberships that are.
with cleared as (
    insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
    select
        :account_id, :sequence, :batch, set_no, chunk, false, position(B'1' in bits) - 1,
        case bit_count(bits) when 1 then position(B'1' in bits) - 1 else ${chunk_bits} - 1 end, bits
    from (
        select c.set_no, c.chunk, c.bits & s.bits as bits
        from activity_source s
        join set_chunk c on c.account_id = :account_id and c.set_no = any(:set_nos::integer[]) and c.chunk = s.chunk
        where s.account_id = :account_id and s.sequence = :source and s.batch = 0
            and s.chunk between :first and :last
    ) e
    where bit_count(bits) > 0
    returning bits
)
select coalesce(sum(bit_count(bits)), 0)::bigint from cleared;
