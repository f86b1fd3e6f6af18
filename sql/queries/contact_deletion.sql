-- Deleting the contacts of the frozen source of activity :source, chunks :first to :last of it at a time, which activity
-- :sequence does: the same, or one that retries it (engine/contacts/deletion.py).

-- name: chunks_of_source
-- The chunks of a frozen source after one, with how many contacts it has in each.
select chunk, bit_count(bits) as contacts from activity_source
where account_id = :account_id and sequence = :source and batch = 0 and chunk > :after and bit_count(bits) > 0
order by chunk;

-- name: lock_doomed_contacts
-- Locks the rows of the contacts, by contact number; of deleted ones, too, so that nobody revives them meanwhile. Answers
-- which they are. Chunk by chunk, with bits that are not unpacked again for each contact, as in engine/sets/ordering.py.
select c.contact_no, c.deleted_at is null as living
from (
    select chunk, bits & bits as bits from activity_source
    where account_id = :account_id and sequence = :source and batch = 0 and chunk between :first and :last
    order by chunk
    offset 0
) s
cross join lateral (
    select contact_no, deleted_at from contact
    where account_id = :account_id
        and contact_no >= s.chunk::bigint * ${chunk_bits} and contact_no < (s.chunk::bigint + 1) * ${chunk_bits}
        and get_bit(s.bits, (contact_no % ${chunk_bits})::int) = 1
    order by contact_no
    for update
) c;

-- name: lock_masks_of_run!
-- Whoever deletes contacts takes the chunks of "exists" and "active" FOR UPDATE: nobody puts them into sets after that.
select from set_chunk
where account_id = :account_id and set_no in (${exists}, ${active}) and chunk between :first and :last
order by set_no, chunk
for update;

-- name: chunks_of_run
-- The chunks of sets that have some of the contacts: those of sets that nobody can put the contacts into any more. Through
-- the index set_chunk_by_cell: of very many sets few have members in a chunk.
select c.set_no, s.chunk
from (
    select chunk, bits & bits as bits from activity_source
    where account_id = :account_id and sequence = :source and batch = 0 and chunk between :first and :last
    offset 0
) s
cross join lateral (
    select set_no from set_chunk
    where account_id = :account_id
        and cell >= s.chunk * ${cells}::bigint and cell < (s.chunk + 1::bigint) * ${cells} and case
        when lowest = highest then get_bit(s.bits, lowest) = 1 else bit_count(bits & s.bits) > 0
    end
    offset 0
) c;

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
-- Marks contacts as deleted; who had not opted out is opted out by the account (contract v3.md 6, 10). Under the locks of
-- their rows.
update contact set
    deleted_at = now(),
    opt_out_source = coalesce(opt_out_source, 'Account'),
    opt_out_date = coalesce(opt_out_date, now())
where account_id = :account_id and contact_no = any(:contact_nos);

-- name: clear_run$
-- Effects of taking the contacts out of these chunks of sets, whose rows are locked; answers how many memberships that are.
with cleared as (
    insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
    select
        :account_id, :sequence, :batch, set_no, chunk, false, position(B'1' in bits) - 1,
        case bit_count(bits) when 1 then position(B'1' in bits) - 1 else ${chunk_bits} - 1 end, bits
    from (
        select k.set_no, k.chunk, c.bits & s.bits as bits
        from unnest(:set_nos::integer[], :chunks::integer[]) k(set_no, chunk)
        cross join lateral (
            select bits from activity_source
            where account_id = :account_id and sequence = :source and batch = 0 and chunk = k.chunk
            offset 0
        ) s
        cross join lateral (
            select bits from set_chunk where account_id = :account_id and set_no = k.set_no and chunk = k.chunk
            offset 0
        ) c
    ) e
    where bit_count(bits) > 0
    returning bits
)
select coalesce(sum(bit_count(bits)), 0)::bigint from cleared;
