def read_tissue(entries, terminology, today):
    return ()


def new_cancers(entries, terminology, today):
    return ()
