-- name: submit_activities
-- Queues :count activities at the end of their account's order, as :entries and :requests give them; none when they
-- would be more than :most_unfinished, or one of the sets that they name is gone (:named, with :named_ids where they are
-- known). A place in its queue (a lease without a worker) is taken at once by the `nth` entry of a queue when fewer than
-- :window are taken then. Runs under the account's lock, which the update keeps. Entries come as JSON since arrays of
-- arrays cannot be of different lengths. Fails when there is an activity of an id that an entry is to have.
with account_before as (
    update account set last_sequence = last_sequence + :count, unfinished = unfinished + :count
    where account_id = :account_id and unfinished + :count <= :most_unfinished and not exists (
        select from unnest(:named::integer[], :named_ids::uuid[]) n(set_no, set_id)
        left join contact_set s on s.account_id = :account_id and s.set_no = n.set_no and s.deleted_at is null
        where s.set_no is null or s.set_id <> n.set_id
    )
    returning last_sequence - :count as last_sequence
),
asked as (
    select a.*, coalesce(a.known_id, gen_random_uuid()) as activity_id, account_before.last_sequence + a.place as sequence
    from account_before
    cross join lateral rows from (
        unnest(:requests::json[]),
        json_to_recordset(:entries) as (
            kind text, queue text, nth integer, principal_id uuid, reads integer[], writes integer[],
            shareable boolean, listed boolean, known_id uuid, retry_of uuid, source_file_name text, cursor json
        )
    ) with ordinality a(
        request, kind, queue, nth, principal_id, reads, writes, shareable, listed, known_id, retry_of,
        source_file_name, cursor, place
    )
),
queued as (
    insert into lease (account_id, sequence, activity_id, queue, expires_at)
    select :account_id, sequence, activity_id, queue, now() + make_interval(secs => :redispatch_seconds)
    from asked
    where nth <= :window - (select count(*) from lease l where l.account_id = :account_id and l.queue = asked.queue)
    returning sequence
)
insert into activity (
    account_id, sequence, activity_id, kind, queue, principal_id, request, reads, writes, shareable, listed, retry_of,
    source_file_name, cursor, created_at, updated_at
)
select
    :account_id, sequence, activity_id, kind, queue, principal_id, request, reads, writes, shareable, listed, retry_of,
    source_file_name, cursor, now(), now()
from asked
returning sequence, activity_id, created_at, sequence in (select sequence from queued) as queued;

-- name: activity_by_id^
-- One activity, not older than :retention_days.
select * from activity
where account_id = :account_id and activity_id = :activity_id
    and created_at > now() - make_interval(days => :retention_days);

-- name: activity_of_record^
select * from activity where account_id = :account_id and activity_id = :activity_id;

-- name: activities_newest_first
-- A page of the account's listed activities before :before, not older than :retention_days.
select * from activity
where account_id = :account_id and sequence < :before and listed
    and created_at > now() - make_interval(days => :retention_days)
    and (:state::text is null or state = :state)
order by sequence desc
limit :limit;

-- name: lock_activity^
-- One activity, not older than :retention_days. Locks its row, so that it cannot end meanwhile.
select * from activity
where account_id = :account_id and activity_id = :activity_id
    and created_at > now() - make_interval(days => :retention_days)
for no key update;

-- name: unfinished_activities
-- The first :look_ahead unfinished activities of the account in order, with their leases. Under the account's lock.
select
    a.sequence, a.activity_id, a.queue, a.state, a.reads, a.writes, a.shareable and a.attempts = 0 as shareable,
    l.sequence is not null as queued
from activity a
left join lease l on l.account_id = :account_id and l.sequence = a.sequence
where a.account_id = :account_id and a.state in ('initialized', 'processing')
order by a.sequence
limit :look_ahead;

-- name: lease_is_held$
-- Whether a worker holds an unexpired lease on the activity. Locks nothing: leases come after activity rows, and a worker
-- whose lease has run out has lost it, even if it is renewed after this.
select worker_id is not null and expires_at > now() from lease
where account_id = :account_id and sequence = :sequence;

-- name: claim_activities
-- Gives the activities to a worker: state, one more attempt, the next fencing token, the time of the first claim.
-- Under the account's lock.
update activity set
    state = 'processing', attempts = attempts + 1, fence = fence + 1,
    started_at = coalesce(started_at, now()), updated_at = now()
where account_id = :account_id and sequence = any(:sequences)
returning *, extract(epoch from now() - started_at)::float8 as seconds_since_start;

-- name: take_leases!
-- The leases of claimed activities, until :lease_seconds from now by the database's clock.
insert into lease (account_id, sequence, activity_id, queue, worker_id, expires_at)
select account_id, sequence, activity_id, queue, :worker_id, now() + make_interval(secs => :lease_seconds)
from activity where account_id = :account_id and sequence = any(:sequences)
order by sequence
on conflict (account_id, sequence) do update
set worker_id = excluded.worker_id, expires_at = excluded.expires_at;

-- name: queue_activities!
-- Places in the queue for activities that may run now. Under the account's lock.
insert into lease (account_id, sequence, activity_id, queue, expires_at)
select account_id, sequence, activity_id, queue, now() + make_interval(secs => :redispatch_seconds)
from activity where account_id = :account_id and sequence = any(:sequences)
order by sequence
on conflict (account_id, sequence) do nothing;

-- name: drop_leases!
delete from lease where account_id = :account_id and sequence = any(:sequences);

-- name: return_attempt!
-- The attempt of a claim is not counted: its worker stops, or did not come to the activity.
update activity set attempts = attempts - 1
where account_id = :account_id and sequence = :sequence and fence = :fence and state = 'processing' and attempts > 0;

-- name: postpone_lease!
-- Gives the activity back: nobody works on it, and the sweeper queues it again after :seconds.
update lease set worker_id = null, expires_at = now() + make_interval(secs => :seconds)
where account_id = :account_id and sequence = :sequence and worker_id = :worker_id;

-- name: renew_leases!
-- The heartbeat of one worker for its activities of one account. Waits for no lock, so that it can neither be late nor be
-- part of a deadlock: a lease that somebody has locked is being given up or taken away.
update lease set expires_at = now() + make_interval(secs => :lease_seconds)
where account_id = :account_id and sequence in (
    select sequence from lease
    where account_id = :account_id and sequence = any(:sequences) and worker_id = :worker_id
    for update skip locked
);

-- name: end_silent_sessions!
-- Ends sessions of this role whose client has fallen silent within a statement, for as long as an idle transaction may be:
-- a process that is frozen between the parts of a message would hold its locks for ever, since to the server it is at
-- work.
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and usename = current_user and state = 'active' and wait_event = 'ClientRead'
    and state_change < now() - nullif(current_setting('idle_in_transaction_session_timeout'), '0')::interval;

-- name: overdue_leases
-- Activities of all accounts whose message got lost or whose worker is gone: a bounded look over all accounts.
select account_id, sequence, activity_id, queue from lease
where expires_at < now() order by expires_at limit :limit;

-- name: put_off_overdue_lease$
-- Takes one overdue lease for queueing again; null when somebody else was faster.
update lease set worker_id = null, expires_at = now() + make_interval(secs => :redispatch_seconds)
where account_id = :account_id and sequence = :sequence and expires_at < now()
returning sequence;

-- name: claimed_activities
-- Those of a worker's claimed activities that are still its own: the fencing tokens match. Locks nothing.
select a.* from activity a
join unnest(:sequences::bigint[], :fences::integer[]) mine(sequence, fence) on a.sequence = mine.sequence
where a.account_id = :account_id and a.fence = mine.fence and a.state = 'processing'
order by a.sequence;

-- name: advance_activity!
-- One batch is done: cursor, progress and counts go on with its transaction, and the attempts start again. Touches
-- nothing when the fencing token is an old one. The last lock of its transaction.
update activity set
    batch = batch + 1, cursor = :cursor, counts = :counts, attempts = 0, updated_at = now(),
    items_total = :items_total, items_completed = :items_completed,
    changed_count = changed_count + :changed_count, error_count = error_count + :error_count
where account_id = :account_id and sequence = :sequence and fence = :fence and state = 'processing';

-- name: finish_activities!
-- Gives unfinished activities their final state and what their last step did; one that ends between its batches says how
-- far it came. Touches only those whose fencing tokens
-- match. Under the account's lock.
update activity a set
    state = :state, completed_at = now(), updated_at = now(),
    items_total = a.items_total + e.items_total, items_completed = a.items_completed + e.items_completed,
    changed_count = a.changed_count + e.changed_count, error_count = a.error_count + e.error_count,
    failure_code = :failure_code,
    failure = nullif(concat_ws('; ', :failure::text, case when :state <> 'completed' and a.batch > 0 then
        format('its first %s items are done and stay so, and a retry goes on after them', a.items_completed)
    end), '')
from unnest(
    :sequences::bigint[], :fences::integer[], :items_total::bigint[], :items_completed::bigint[],
    :changed_counts::bigint[], :error_counts::bigint[]
) e(sequence, fence, items_total, items_completed, changed_count, error_count)
where a.account_id = :account_id and a.sequence = e.sequence and a.fence = e.fence
    and a.state in ('initialized', 'processing');

-- name: lower_unfinished!
-- Takes the account's lock, which submitting, claiming and finishing share.
update account set unfinished = unfinished - :finished where account_id = :account_id;

-- name: request_cancel!
update activity set cancel_requested = true, updated_at = now()
where account_id = :account_id and sequence = :sequence;

-- name: add_activity_errors!
-- Error rows of single items, in the given order.
insert into activity_error (account_id, sequence, item, code, message)
select :account_id, e.sequence, e.item, e.code, e.message
from unnest(:sequences::bigint[], :items::text[], :codes::text[], :messages::text[])
    with ordinality e(sequence, item, code, message, place)
order by e.place;

-- name: activity_error_rows
-- A page of error rows after :after_error_no, oldest first.
select error_no, item, code, message from activity_error
where account_id = :account_id and sequence = :sequence and error_no > :after_error_no
order by error_no
limit :limit;

-- name: frozen_source
-- Whom an activity works on that has frozen that once, without those whom it has skipped.
select s.chunk, s.bits & ~coalesce(k.bits, B''::bit(${chunk_bits})) as bits
from activity_source s
left join (
    select chunk, bit_or(bits) as bits from activity_skipped
    where account_id = :account_id and sequence = :sequence
    group by chunk
) k on k.chunk = s.chunk
where s.account_id = :account_id and s.sequence = :sequence and s.batch = 0;

-- name: skipped_chunks
-- The chunks of contacts that an activity skipped that hold the first :limit after (:after_code, :after_contact_no), by
-- code and contact number.
select code, chunk, bits from (
    select code, chunk, bits, sum(bit_count(bits)) over (order by code, chunk) - bit_count(bits) as members_before
    from (
        select code, chunk, case
            when code = :after_code and chunk = (:after_contact_no / ${chunk_bits})::int
            then bit_or(bits) & (~B''::bit(${chunk_bits}) >> (:after_contact_no % ${chunk_bits} + 1)::int)
            else bit_or(bits)
        end as bits
        from activity_skipped
        where account_id = :account_id and sequence = :sequence
            and (code, chunk) >= (:after_code, (:after_contact_no / ${chunk_bits})::int)
        group by code, chunk
    ) rest
) counted
where members_before < :limit
order by code, chunk;

-- name: leave_queue!
-- Takes the place in the queue from an activity that nobody works on. Under the account's lock.
delete from lease where account_id = :account_id and activity_id = :activity_id and worker_id is null;

-- name: lock_account!
-- Takes the account's lock, which submitting, claiming and finishing share.
select from account where account_id = :account_id for no key update;

-- name: forget_reads!
-- The activity has read what it reads. Under the account's lock.
update activity set reads = '{}'
where account_id = :account_id and sequence = :sequence and fence = :fence and state = 'processing';
