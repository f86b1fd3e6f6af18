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
-- Deletes at most :limit error rows of activities that are not pruned yet, up to :until. Nobody else writes these rows.
delete from activity_error
where account_id = :account_id and (sequence, error_no) in (
    select sequence, error_no from activity_error
    where account_id = :account_id and sequence <= :until
        and sequence > (select pruned_sequence from account where account_id = :account_id)
    order by sequence, error_no
    limit :limit
);

-- name: note_pruned!
-- The activities up to :until are pruned. Takes the account's lock.
update account set pruned_sequence = :until where account_id = :account_id and pruned_sequence < :until;

-- name: files_in_use
-- The files that activities of these kinds need which are not pruned: their uploads, and their exports by the name of the
-- activity, or of that whose export they go on with.
select request ->> 'file' as upload, activity_id::text as export, cursor ->> 'file' as part from activity
where account_id = :account_id and kind = any(:kinds)
    and sequence > (select pruned_sequence from account where account_id = :account_id);
