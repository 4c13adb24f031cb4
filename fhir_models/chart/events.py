def read_events(entries, terminology, today):
    return ()
