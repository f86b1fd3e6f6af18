"""Activities: asynchronous bulk work on an account's contacts, in the account's order, never lost and never done twice.

The activity's row is the truth about it. Locks are taken in one order, so that no two transactions wait for each other:

1. contact rows, by number;
2. the chunks of "exists" and "active" that mask a source (FOR SHARE; those who create, delete or unsubscribe contacts
   take them FOR UPDATE), by (set, chunk);
3. the rows of all sets to be written, ascending;
4. chunks, by (set, chunk);
5. the account's row, then what is due by the clock;
6. activity rows, then lease rows, by sequence.

Inline operations (engine/contacts/writing.py) take 1, 2 (FOR UPDATE), 3 and then 5; only after that they write 4 and 6,
which nobody can hold who does not hold 2, 3 or 5.

Before all of these comes the lock of the account's names (an advisory one), which whoever names something takes.
Custom fields are locked by number, and nothing is waited for under these locks but an activity's own row.

Work takes 1 to 4 and then, to finish, 5 and 6; a batch that is not the last takes only its own activity's row of 6,
unless it lets those run that have waited for what it has read (an export's first): that takes 5, too.
Submit, claim and cancel begin with 5 and go on with 6. Nothing but numbers (contacts, sets) is drawn from the
account's row otherwise, by statements that take no lock after it. Rows of campaigns are written between 2 and 3, and
only by tracking events, of which an account's order runs one after the other.
"""
