-- Activities that do calls, and what came of each call.

-- name: last_attempt^
-- The newest activity of a kind that a client knows by :handle, not older than :retention_days: the first one, or the last
-- that was made of it.
select * from activity
where account_id = :account_id and kind = :kind and (activity_id = :handle or retry_of = :handle)
    and created_at > now() - make_interval(days => :retention_days)
order by sequence desc
limit 1;

-- name: results_are_kept$
-- Whether the activity ended within :result_days.
select completed_at > now() - make_interval(days => :result_days) from activity
where account_id = :account_id and sequence = :sequence;

-- name: results_of_calls
-- What came of the calls from the :first to before the :end, counted from 0.
select item, result from activity_result
where account_id = :account_id and sequence = :sequence and item >= :first and item < :end;

-- name: items_done
select item from activity_result where account_id = :account_id and sequence = :sequence;

-- name: copy_results!
-- What an earlier attempt has done and what came of it, but for what failed.
insert into activity_result (account_id, sequence, item, failed, result)
select account_id, :sequence, item, failed, result from activity_result
where account_id = :account_id and sequence = :earlier and not failed;

-- name: keep_result!
insert into activity_result (account_id, sequence, item, failed, result)
values (:account_id, :sequence, :item, :failed, :result);

-- name: has_old_results$
-- Whether there are results of activities that ended more than :days ago.
select exists (
    select from activity_result r
    join activity a on a.account_id = :account_id and a.sequence = r.sequence
    where r.account_id = :account_id and a.completed_at < now() - make_interval(days => :days)
);

-- name: prune_results!
-- Deletes at most :limit results of activities that ended more than :days ago. Of two that prune at once each passes
-- over what the other has locked.
with old as materialized (
    select r.sequence, r.item from activity_result r
    join activity a on a.account_id = :account_id and a.sequence = r.sequence
    where r.account_id = :account_id and a.completed_at < now() - make_interval(days => :days)
    order by r.sequence, r.item
    limit :limit
    for update of r skip locked
)
delete from activity_result r using old
where r.account_id = :account_id and r.sequence = old.sequence and r.item = old.item;
