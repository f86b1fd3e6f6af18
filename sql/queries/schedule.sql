-- What is done by the clock.

-- name: create_schedules!
-- A new account's rows of what comes by the clock in every account, for the first time after a day.
insert into schedule (account_id, kind, due_at)
select :account_id, kind, now() + interval '1 day' from unnest(:kinds::text[]) k(kind);

-- name: due_schedules
-- What is due in any account, of the kinds that the worker knows: a bounded look at the front of an index.
select account_id, kind from schedule
where due_at <= now() and kind = any(:kinds)
order by due_at
limit :limit;

-- name: move_schedule_on!
-- The next time of a kind, :seconds from now; touches nothing when it is not due any more. Under the account's lock.
update schedule set due_at = now() + make_interval(secs => :seconds)
where account_id = :account_id and kind = :kind and due_at <= now();

-- name: put_schedule_off!
-- Another try after :seconds. Under the account's lock.
update schedule set due_at = now() + make_interval(secs => :seconds)
where account_id = :account_id and kind = :kind;
