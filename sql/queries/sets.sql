-- name: create_system_sets!
-- The sets that every account has.
insert into contact_set (account_id, set_no, kind, name, name_key, created_at, updated_at)
select :account_id, s.set_no, 'system', s.name, s.name, now(), now()
from unnest(:set_nos::integer[], :names::text[]) s(set_no, name);

-- name: set_of_name^
-- The living set of this name. Locks its row, so it waits for those who change or delete it.
select set_no from contact_set
where account_id = :account_id and kind = :kind and name_key = :name_key and deleted_at is null
for share;

-- name: create_set^
-- A new named set, with the account's next set number. Locks the account row. The name is free: whoever gives names
-- has their lock.
with place as (
    update account set last_set_no = last_set_no + 1 where account_id = :account_id returning last_set_no
)
insert into contact_set (
    account_id, set_no, kind, name, name_key, description, favorite, source, details, created_at, updated_at
)
select
    :account_id, last_set_no, :kind, :name, :name_key, :description, :favorite, :source, :details::jsonb, now(), now()
from place
returning *;

-- name: create_sets
-- New named sets, with the account's next set numbers in the order given. Locks the account row. The names are free, as in
-- `create_set`.
with place as (
    update account set last_set_no = last_set_no + cardinality(:names::text[]) where account_id = :account_id
    returning last_set_no - cardinality(:names::text[]) as last_set_no
)
insert into contact_set (account_id, set_no, kind, name, name_key, created_at, updated_at)
select :account_id, p.last_set_no + n.place, :kind, n.name, n.name_key, now(), now()
from place p
cross join unnest(:names::text[], :name_keys::text[]) with ordinality n(name, name_key, place)
returning *;

-- name: change_set^
-- Fails when the name is taken.
update contact_set set
    name = :name, name_key = :name_key, description = :description, favorite = :favorite, updated_at = now()
where account_id = :account_id and kind = :kind and set_id = :set_id and deleted_at is null
returning *;

-- name: abbreviate_set^
update contact_set set abbreviation = :abbreviation, updated_at = now()
where account_id = :account_id and kind = :kind and set_id = :set_id and deleted_at is null
returning *;

-- name: describe_set^
update contact_set set details = :details::jsonb, updated_at = now()
where account_id = :account_id and kind = :kind and set_id = :set_id and deleted_at is null
returning *;

-- name: sets_by_name
-- The living sets of a kind with these names.
select * from contact_set
where account_id = :account_id and kind = :kind and name_key = any(:name_keys::text[]) and deleted_at is null
order by set_no;

-- name: sets_of_kind
-- The living sets of a kind.
select * from contact_set where account_id = :account_id and kind = :kind and deleted_at is null order by set_no;

-- name: sets_by_id
-- The living sets of a kind with these public ids.
select * from contact_set
where account_id = :account_id and kind = :kind and set_id = any(:set_ids) and deleted_at is null
order by set_no;

-- name: set_numbers
-- The numbers of the living sets of a kind with these public ids.
select set_id, set_no from contact_set
where account_id = :account_id and kind = :kind and set_id = any(:set_ids) and deleted_at is null
order by set_no;

-- name: sets_by_number
-- Sets by number, deleted ones too.
select * from contact_set where account_id = :account_id and set_no = any(:set_nos) order by set_no;

-- name: page_of_sets
-- The sets of a kind in the order they were made, after :after_set_no; with a name, only the one that has it.
-- :status is 'all', 'active' or 'deleted'.
select * from contact_set
where account_id = :account_id and kind = :kind and set_no > :after_set_no
    and (:name::text is null or name = :name)
    and case :status::text
        when 'active' then deleted_at is null when 'deleted' then deleted_at is not null else true
    end
order by set_no
limit :limit;

-- name: count_sets$
select count(*) from contact_set
where account_id = :account_id and kind = :kind
    and (:name::text is null or name = :name)
    and case :status::text
        when 'active' then deleted_at is null when 'deleted' then deleted_at is not null else true
    end;

-- name: active_member_counts
-- How many members of each set are mailable; reads the sets' chunks and those of "active".
select s.set_no, sum(bit_count(s.bits & a.bits))::bigint as member_count
from set_chunk s
join set_chunk a on a.account_id = :account_id and a.set_no = ${active} and a.chunk = s.chunk
where s.account_id = :account_id and s.set_no = any(:set_nos)
group by s.set_no;

-- name: sets_of_contacts
-- The living sets of these kinds with members among the wanted contacts, and who that is: bits of which the first is the
-- contact :first. Wanted are, in each run of cells of one size (:first_cells to :last_cells), the bits :wanted from the place
-- :firsts of one of :chunks on. Only such chunks of sets are read as have all their members in one of the cells, through the
-- index set_chunk_by_cell.
select
    s.kind, s.set_no, s.set_id, s.name, s.abbreviation, w.chunk::bigint * ${chunk_bits} + w.first as first, c.bits
from unnest(
    :chunks::integer[], :first_cells::bigint[], :last_cells::bigint[], :firsts::integer[], :wanted::bit varying[]
) w(chunk, first_cell, last_cell, first, bits)
cross join lateral (
    select set_no, substring(bits from w.first + 1 for length(w.bits)) & w.bits as bits from set_chunk
    where account_id = :account_id and cell between w.first_cell and w.last_cell
        and lowest < w.first + length(w.bits) and highest >= w.first
    offset 0
) c
cross join lateral (
    select kind, set_no, set_id, name, abbreviation from contact_set
    where account_id = :account_id and set_no = c.set_no and kind = any(:kinds) and deleted_at is null
    offset 0
) s
where bit_count(c.bits) > 0
order by s.set_no, w.chunk;

-- name: turn_off_sets!
-- Effects of deleting sets: every bit that they have. Under the locks of the sets' rows.
insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
select
    :account_id, :sequence, 0, set_no, chunk, false, position(B'1' in bits) - 1,
    case bit_count(bits) when 1 then position(B'1' in bits) - 1 else ${chunk_bits} - 1 end, bits
from set_chunk
where account_id = :account_id and set_no = any(:set_nos) and bit_count(bits) > 0;

-- name: delete_chunks!
-- Takes everybody out of sets. Under the locks of the sets' rows.
delete from set_chunk where account_id = :account_id and set_no = any(:set_nos);

-- name: mark_sets_deleted!
-- The sets have no members and are deleted; their names are free. Under the locks of their rows.
update contact_set set member_count = 0, deleted_at = now(), updated_at = now()
where account_id = :account_id and set_no = any(:set_nos);

-- name: scan_together
-- Has the next statements planned anew, and read by several processes, however little the planner thinks there is to read:
-- of an account it knows nothing (contact.account_id has no statistics).
select
    set_config('plan_cache_mode', 'force_custom_plan', true), set_config('parallel_setup_cost', '0', true),
    set_config('parallel_tuple_cost', '0', true), set_config('min_parallel_table_scan_size', '0', true);

-- name: scan_alone
-- As it was before `scan_together`.
select set_config(name, reset_val, true) from pg_settings
where name in ('plan_cache_mode', 'parallel_setup_cost', 'parallel_tuple_cost', 'min_parallel_table_scan_size');

-- name: joinings
-- What put any of the :wanted contacts of each chunk into these sets, latest first: the effect of a single contact by its
-- place, of several by their bits. Set by set and chunk by chunk through the index effect_by_set, which the planner leaves
-- for a scan of the account's effects where it may.
select
    s.set_no, w.chunk, e.lowest, case when e.lowest < e.highest then e.bits & w.bits end as bits, a.at
from unnest(:set_nos::integer[]) s(set_no)
cross join unnest(:chunks::integer[], :wanted::bit varying[]) w(chunk, bits)
cross join lateral (
    select sequence, batch, lowest, highest, bits from effect
    where account_id = :account_id and set_no = s.set_no and chunk = w.chunk and turned_on and case
        when lowest = highest then get_bit(w.bits, lowest) = 1 else bit_count(bits & w.bits) > 0
    end
    offset 0
) e
cross join lateral (
    select coalesce(started_at, created_at) as at from activity
    where account_id = :account_id and sequence = e.sequence
    limit 1
) a
order by e.sequence desc, e.batch desc;
