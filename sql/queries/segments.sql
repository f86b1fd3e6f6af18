-- name: create_segment^
-- A new segment with the account's next segment id. Null when the name is taken. Locks the account row.
with place as (
    update account set last_segment_id = last_segment_id + 1 where account_id = :account_id returning last_segment_id
)
insert into segment (account_id, segment_id, name, name_key, criteria, created_at, edited_at)
select :account_id, last_segment_id, :name, :name_key, :criteria, now(), now() from place
on conflict (account_id, name_key) where deleted_at is null do nothing
returning *;

-- name: count_segments$
select count(*) from segment where account_id = :account_id and deleted_at is null;

-- name: change_segment^
-- Without :criteria they stay. Fails when the name is taken.
update segment set
    name = :name, name_key = :name_key, criteria = coalesce(:criteria, criteria),
    edited_at = case when (name, criteria) = (:name, coalesce(:criteria, criteria)) then edited_at else now() end
where account_id = :account_id and segment_id = :segment_id and deleted_at is null
returning *;

-- name: delete_segment!
update segment set deleted_at = now()
where account_id = :account_id and segment_id = :segment_id and deleted_at is null;

-- name: segment^
select * from segment where account_id = :account_id and segment_id = :segment_id;

-- name: page_of_segments
-- Living segments by name, or the most recently edited first; after the last one of a page, if it is given.
select * from segment
where account_id = :account_id and deleted_at is null
    and (:after_name::text is null or name_key > :after_name)
    and (:after_edited::timestamptz is null or (edited_at, segment_id) < (:after_edited, :after_id::integer))
order by case when :by_name then name_key end, edited_at desc, segment_id desc
limit :limit;
