-- Marks: what happened to contacts in lists or in the account (engine/marks.py).

-- name: add_marks!
-- Marks contacts; who has the mark has the later time. Locks the marks that change, by contact.
insert into mark (account_id, kind, set_no, contact_no, marked_at)
select :account_id, :kind, :set_no, m.contact_no, m.marked_at
from unnest(:contact_nos::bigint[], :times::timestamptz[]) m(contact_no, marked_at)
order by m.contact_no
on conflict (account_id, kind, set_no, contact_no)
do update set marked_at = excluded.marked_at where excluded.marked_at > mark.marked_at;
