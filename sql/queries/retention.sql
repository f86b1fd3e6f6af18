-- name: prunable_until$
-- The last of the next :limit activities after the pruned ones that have all ended more than :retention_days ago; null
-- when the next one has not.
select max(sequence) from (
    select sequence, bool_and(coalesce(completed_at < now() - make_interval(days => :retention_days), false))
        over (order by sequence) as all_expired
    from (
        select sequence, completed_at from activity
        where account_id = :account_id
            and sequence > (select pruned_sequence from account where account_id = :account_id)
        order by sequence
        limit :limit
    ) next
) so_far
where all_expired;

-- name: prune_activity_errors!
-- Deletes at most :limit error rows of activities that are not pruned yet, up to :until. Only pruning writes these rows;
-- it locks them in order, since two may be under way at once.
with old as materialized (
    select sequence, error_no from activity_error
    where account_id = :account_id and sequence <= :until
        and sequence > (select pruned_sequence from account where account_id = :account_id)
    order by sequence, error_no
    limit :limit
    for update
)
delete from activity_error e using old
where e.account_id = :account_id and e.sequence = old.sequence and e.error_no = old.error_no;

-- name: note_pruned!
-- The activities up to :until are pruned, unless some of their error rows are left: of two that prune at once one may find
-- its rows deleted by the other. Takes the account's lock.
update account a set pruned_sequence = :until
where a.account_id = :account_id and a.pruned_sequence < :until and not exists (
    select from activity_error e
    where e.account_id = :account_id and e.sequence > a.pruned_sequence and e.sequence <= :until
);

-- name: files_in_use
-- The files that activities of these kinds need which are not pruned: their uploads, and their exports by the name of the
-- activity, or of that whose export they go on with.
select request ->> 'file' as upload, activity_id::text as export, cursor ->> 'file' as part from activity
where account_id = :account_id and kind = any(:kinds)
    and sequence > (select pruned_sequence from account where account_id = :account_id);
