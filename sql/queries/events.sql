-- Events: the rows of their sets, and what is said of them beside (engine/events.py); and what invited contacts answered
-- (engine/invitations.py).

-- name: write_event!
insert into event (account_id, set_no, code, starts_at, ends_at)
values (:account_id, :set_no, :code, :starts_at, :ends_at)
on conflict (account_id, set_no) do update set
    code = excluded.code, starts_at = excluded.starts_at, ends_at = excluded.ends_at;

-- name: cancel_event!
update event set cancelled_at = now() where account_id = :account_id and set_no = :set_no and cancelled_at is null;

-- name: events_by_number
select * from contact_set s
join event e using (account_id, set_no)
where s.account_id = :account_id and e.account_id = :account_id and s.set_no = any(:set_nos) and s.deleted_at is null
order by s.set_no;

-- name: page_of_events
-- Events in the order they were made, after :after_set_no.
select * from contact_set s
join event e using (account_id, set_no)
where s.account_id = :account_id and e.account_id = :account_id and s.kind = 'event' and s.set_no > :after_set_no
    and s.deleted_at is null
order by s.set_no
limit :limit;

-- name: lock_event^
-- An event with the transaction's time. Locks its set's row FOR SHARE: whoever writes the set's members waits.
select s.*, e.*, now() as now from contact_set s
join event e using (account_id, set_no)
where s.account_id = :account_id and e.account_id = :account_id and s.set_no = :set_no and s.deleted_at is null
for share of s;

-- name: answer_invitation!
-- The contact's last answer counts. Under the lock of the event's set.
insert into response (account_id, set_no, contact_no, answer, answered_at)
values (:account_id, :set_no, :contact_no, :answer, now())
on conflict (account_id, set_no, contact_no) do update set
    answer = excluded.answer, answered_at = excluded.answered_at;

-- name: responses
-- What contacts have answered to events.
select set_no, contact_no, answer, answered_at from response
where account_id = :account_id and set_no = any(:set_nos) and contact_no = any(:contact_nos);

-- name: responses_of_effects
-- The answers of those whom the effects take off events. Each effect looks for its own, whatever the planner believes of
-- an account that it does not know.
select r.set_no, r.contact_no from effect e
cross join lateral (
    select set_no, contact_no from response
    where account_id = :account_id and set_no = e.set_no
        and contact_no between e.chunk::bigint * ${chunk_bits} + e.lowest and e.chunk::bigint * ${chunk_bits} + e.highest
        and get_bit(e.bits, (contact_no % ${chunk_bits})::int) = 1
    offset 0
) r
where e.account_id = :account_id and e.sequence = any(:sequences) and e.batch = :batch and not e.turned_on
    and e.set_no > 0;

-- name: forget_responses_to!
-- What was answered to events. Under the locks of their sets' rows.
delete from response where account_id = :account_id and set_no = any(:set_nos);

-- name: forget_responses!
-- Under the locks of the sets' rows.
delete from response r using unnest(:set_nos::integer[], :contact_nos::bigint[]) f(set_no, contact_no)
where r.account_id = :account_id and r.set_no = f.set_no and r.contact_no = f.contact_no
    and r.set_no = any(:set_nos) and r.contact_no = any(:contact_nos);
