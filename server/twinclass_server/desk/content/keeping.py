"""How long the desk keeps what, in one place. docs/desk.md tells the same to people.

Vocabulary.
"""

from __future__ import annotations

from datetime import timedelta

#: Uploaded, and never sent with a question or an answer.
UPLOADED = timedelta(days=1)
#: Sent, and the desk never said that the question was done: nobody waits longer.
SENT = timedelta(days=30)
#: Child protection: until the question is resolved, and a week for second thoughts.
RESOLVED = timedelta(days=7)
#: Time for a moderator to see a pattern; as long as recordings of live help.
FLAGGED = timedelta(days=30)
#: An answer waits for a moderator's word about the bank.
PROPOSED = timedelta(days=30)
#: "Tomorrow" is the next evening with the grade's hours: after a holiday at the latest.
CARRIED = timedelta(days=14)
#: A term: texts are for the tutor who learns from them.
RATING_TEXT = timedelta(days=180)
#: What guardians are shown.
HELPED = timedelta(days=60)
