"""Activities: asynchronous bulk work on an account's contacts, in the account's order, never lost and never done twice.

The activity's row is the truth about it. Locks are taken in one order, so that no two transactions wait for each other:

1. contact rows, by number;
2. e-mails that nobody had (whoever writes one waits until another that writes it, too, has ended), ascending;
3. the chunks of "exists" and "active" that mask a source (FOR SHARE; those who create, delete or unsubscribe contacts
   take them FOR UPDATE), by (set, chunk);
4. the rows of all sets to be written, ascending;
5. chunks, by (set, chunk);
6. the account's row, then what is due by the clock;
7. activity rows, then lease rows, by sequence.

Inline operations (engine/contacts/writing.py) take 1, 2, 3 (FOR UPDATE), 4 and then 6; only after that they write 5 and
7, which nobody can hold who does not hold 3, 4 or 6.

Before all of these comes the lock of the account's names (an advisory one), which whoever names something takes, and
whoever decides whom a condition means before it writes to them, or makes one (engine/activities/together.py, staged
imports). That of organizations (another) is taken with none of them. Calls of hooks are only added under other locks;
who takes them or ends them takes nothing else. The row of a staged import is locked alone, or after 6. Rows of
principals are locked alone, but for a user's: the login, then grants, then tokens.
Custom fields are locked by number, after 6 where both are, and nothing is waited for under these locks but 7. What
invited contacts answer is written under the lock of the event's row of 4, FOR SHARE, and nothing is waited for then.

Work takes 1 to 5 and then, to finish, 6 and 7; a batch that is not the last takes only its own activity's row of 7,
unless it lets those run that have waited for what it has read (an export's first): that takes 6, too.
Submit, claim and cancel begin with 6 and go on with 7. Nothing but numbers (contacts, sets) is drawn from the
account's row otherwise, by statements that take no lock after it; numbers of contacts bring the chunks of 3 with them,
which must be there to be locked. Marks and rows of campaigns are written between 3 and 4, and only by tracking events,
of which an account's order runs one after the other.
"""
