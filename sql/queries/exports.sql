-- Exports: rows are written by the statement of engine/exports/columns.py.

-- name: all_set_numbers
-- The numbers of all living lists or tags.
select set_no from contact_set where account_id = :account_id and kind = any(:kinds) and deleted_at is null;

-- name: left_out_contacts
-- Which of the named contacts do not exist, or are deleted, in the order given.
select n.contact_id, c.deleted_at is not null as deleted
from unnest(:contact_ids::uuid[]) with ordinality n(contact_id, place)
left join contact c on c.account_id = :account_id and c.contact_id = n.contact_id
where c.contact_no is null or c.deleted_at is not null
order by n.place;

-- name: next_source_chunks
-- The next chunks of a frozen source, from :chunk on, that together hold no more contacts than one chunk can.
select chunk, bits from (
    select chunk, bits, sum(bit_count(bits)) over (order by chunk) as members
    from (
        select chunk, bits from activity_source
        where account_id = :account_id and sequence = :source and batch = 0 and chunk >= :chunk
        order by chunk
        limit :limit
    ) next
) counted
where members <= ${chunk_bits}
order by chunk;

-- name: names_of_source
-- The living lists or tags that contacts of some chunks of a frozen source are in, and which of them, in the order in
-- which they were made.
select s.name, c.chunk, c.bits & a.bits as bits
from activity_source a
join contact_set s on s.account_id = :account_id and s.kind = :kind and s.deleted_at is null
join set_chunk c on c.account_id = :account_id and c.set_no = s.set_no and c.chunk = a.chunk
where a.account_id = :account_id and a.sequence = :source and a.batch = 0 and a.chunk between :first and :last
    and bit_count(c.bits & a.bits) > 0
order by s.set_no, c.chunk;
