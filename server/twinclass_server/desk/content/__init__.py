"""What the evening desk keeps in SQL and files: questions, pictures, answers, credit, reports.

Its core's log holds references only; what they stand for is here, and goes from here when its time
is over. Modules block and run in threads, but for those that say otherwise.
"""
