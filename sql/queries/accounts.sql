-- name: next_account_id$
select nextval('account_id_seq');

-- name: create_account^
insert into account (account_id, name) values (:account_id, :name) returning account_id, name, created_at, organization_id;

-- name: account^
select account_id, name, created_at, organization_id from account where account_id = :account_id;

-- name: account_ids
-- The accounts are behind walls, so they are known by what comes by the clock in each. Commands only.
select account_id from schedule where kind = 'retention' order by account_id;

-- name: account_secret$
select secret from account where account_id = :account_id;

-- name: lock_names
-- Who names something takes turns, in each account: two that wait for each other's names would be a deadlock, whichever of
-- their rows they lock. Locks no row; taken before any.
select pg_advisory_xact_lock(hashtextextended('names of account ' || :account_id::bigint, 0));

-- name: last_contact_number$
-- The greatest contact number so far; about how many contacts the account has.
select last_contact_no from account where account_id = :account_id;

-- name: reserve_contact_numbers$
-- Hands out the next :count contact numbers of the account; answers the first. In a transaction of its own, so that
-- importers hold the account's lock only for a moment; what they do not use stays a gap. The chunks of "exists" and
-- "active" are there before the first contact of theirs: who finds no chunk to lock would be in nobody's way, and in
-- everybody's when it writes it.
with numbers as (
    update account set last_contact_no = last_contact_no + :count where account_id = :account_id
    returning last_contact_no - :count + 1 as first, last_contact_no as last
),
masks as (
    insert into set_chunk (account_id, set_no, chunk, bits)
    select :account_id, s.set_no, c.chunk, B''::bit(${chunk_bits})
    from numbers n
    cross join unnest(array[${exists}, ${active}]) s(set_no)
    cross join generate_series((n.first / ${chunk_bits})::int, (n.last / ${chunk_bits})::int) c(chunk)
    on conflict (account_id, set_no, chunk) do nothing
)
select first from numbers;
