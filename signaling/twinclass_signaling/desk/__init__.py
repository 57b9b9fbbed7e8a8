"""The evening desk 今晚8点半: questions, tutors, queues, sessions; without I/O, clock or chance."""
