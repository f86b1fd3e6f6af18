-- Campaigns and what tracking events tell of them.

-- name: campaigns_meant
-- The :last campaigns that were sent last, those sent within :days, and those of :campaign_ids, each with its age and how
-- many are newer (of those named only, more than any number asked for).
select
    c.campaign_id, c.sent_set, c.opened_set, c.clicked_set, now() - c.sent_at as age,
    coalesce(l.newer, 2147483647) as newer
from campaign c
left join (
    select campaign_id, row_number() over (order by sent_at desc, campaign_id) - 1 as newer
    from campaign where account_id = :account_id
    order by sent_at desc, campaign_id
    limit :last
) l on l.campaign_id = c.campaign_id
where c.account_id = :account_id and (
    l.newer is not null
    or c.sent_at >= now() - make_interval(days => :days)
    or c.campaign_id = any(:campaign_ids)
);

-- name: campaigns_told_of
-- Campaigns that events tell of, as far as they are known. Whoever records events is alone: the account's order sees to
-- that.
select * from campaign where account_id = :account_id and campaign_id = any(:campaign_ids);

-- name: reserve_set_numbers$
-- Hands out the next :count set numbers of the account; answers the first. In a transaction of its own, as contact
-- numbers: what is not used stays a gap.
update account set last_set_no = last_set_no + :count where account_id = :account_id
returning last_set_no - :count + 1;

-- name: schedule_once!
-- The first time of what comes by the clock, after a day, unless there is one to come.
insert into schedule (account_id, kind, due_at) values (:account_id, :kind, now() + interval '1 day')
on conflict (account_id, kind) do nothing;

-- name: told_by_id
-- The contacts with these ids, deleted ones too, found as `lock_contacts` does.
select w.contact_id, c.contact_no from unnest(:contact_ids::uuid[]) w(contact_id)
cross join lateral (
    select contact_no from contact where account_id = :account_id and contact_id = w.contact_id limit 1
) c;

-- name: told_by_email
-- The contacts that have these e-mails (those with ordinal 0), deleted ones too, found as `lock_imported_contacts` does.
select k.email_key, known.contact_no from unnest(:email_keys::text[]) k(email_key)
cross join lateral (
    select contact_no, email_ordinal from contact
    where account_id = :account_id and email_key = k.email_key
    order by email_ordinal
    limit 1
) known
where known.email_ordinal = 0;

-- name: lock_told_contacts
-- Contacts that events may change, with the time of the last act of their own that an older event must not undo, and when
-- their address was last put in order. Locks them, by number; deleted ones, too, so that nobody revives them meanwhile.
-- Looked up one by one, as in lock_contacts.
select c.* from (select contact_no from unnest(:contact_nos::bigint[]) n(contact_no) order by contact_no) n
cross join lateral (
    select contact_no, permission, opt_out_source,
        greatest(resubscribed_at, case opt_in_source when 'Contact' then opt_in_date end) as subscribed_at,
        case when email_updated_at > email_created_at then email_updated_at end as mended_at
    from contact
    where account_id = :account_id and contact_no = n.contact_no
    for update
) c;

-- name: share_existence
-- Keeps contacts of these chunks from being deleted meanwhile: locks the chunks of "exists" FOR SHARE, ascending.
select set_no, chunk, bits from set_chunk
where account_id = :account_id and set_no = ${exists} and chunk = any(:chunks)
order by set_no, chunk
for share;

-- name: take_existence
-- The same for who takes contacts out of "active": locks the chunks of both FOR UPDATE, by (set, chunk).
select set_no, chunk, bits from set_chunk
where account_id = :account_id and set_no in (${exists}, ${active}) and chunk = any(:chunks)
order by set_no, chunk
for update;

-- name: create_tracking_sets!
-- Sets of campaigns by event, under numbers that were reserved.
insert into contact_set (account_id, set_no, kind, name, name_key, created_at, updated_at)
select :account_id, s.set_no, 'tracking', s.name, s.name, now(), now()
from unnest(:set_nos::integer[], :names::text[]) s(set_no, name);

-- name: write_campaigns!
insert into campaign (
    account_id, campaign_id, sent_at, sent_set, opened_set, clicked_set, bounced_set, unsubscribed_set,
    complained_set
)
select :account_id, c.*
from unnest(
    :campaign_ids::uuid[], :sent_at::timestamptz[], :sent::integer[], :opened::integer[], :clicked::integer[],
    :bounced::integer[], :unsubscribed::integer[], :complained::integer[]
) c
on conflict (account_id, campaign_id) do update set
    sent_at = excluded.sent_at, sent_set = excluded.sent_set, opened_set = excluded.opened_set,
    clicked_set = excluded.clicked_set, bounced_set = excluded.bounced_set,
    unsubscribed_set = excluded.unsubscribed_set, complained_set = excluded.complained_set;

-- name: keep_told_contacts!
-- Before-images of the contacts that events change, for undo. Under the locks of their rows.
insert into contact_before (account_id, sequence, contact_no, image)
select :account_id, :sequence, c.contact_no, to_jsonb(c)
from contact c where c.account_id = :account_id and c.contact_no = any(:contact_nos);

-- name: unsubscribe_told!
-- The contacts have opted out at these times; their own details are as they were. Under the locks of their rows.
update contact c set
    permission = 'unsubscribed', opt_out_source = 'Contact', opt_out_date = t.opted_out,
    confirm_status = case c.confirm_status when 'pending' then 'off' else c.confirm_status end,
    email_updated_at = now()
from unnest(:contact_nos::bigint[], :times::timestamptz[]) t(contact_no, opted_out)
where c.account_id = :account_id and c.contact_no = any(:contact_nos) and c.contact_no = t.contact_no;

-- name: hold_told!
-- Mail to the contacts came back. Under the locks of their rows.
update contact set permission = 'temp_hold', email_updated_at = now()
where account_id = :account_id and contact_no = any(:contact_nos);

-- name: campaigns_since
-- The sets of the campaigns that were sent within :days.
select sent_set, opened_set, clicked_set from campaign
where account_id = :account_id and sent_at >= now() - make_interval(days => :days) and sent_set is not null
order by sent_set;

-- name: share_active
-- Keeps everybody from becoming active or inactive meanwhile: locks the chunks of "active" FOR SHARE, ascending.
select chunk from set_chunk
where account_id = :account_id and set_no = ${active}
order by chunk
for share;

-- name: chunks_with_levels
-- The chunks that hold an engagement level of anybody.
select distinct chunk from set_chunk where account_id = :account_id and set_no in (${engagement});

-- name: chunk_of_sets
-- One chunk of several sets.
select set_no, bits from set_chunk
where account_id = :account_id and chunk = :chunk and set_no = any(:set_nos);
