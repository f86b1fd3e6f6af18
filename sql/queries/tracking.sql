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
