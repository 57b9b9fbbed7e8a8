"""Schools, classes, people and lessons in SQL: the only place where names of people are kept."""
