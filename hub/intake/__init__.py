"""Intake: turning what people hand in into ``hub.domain.content.Content``, or into words that say what to mend.

Nothing here knows of a database: the caller gives a ``Vocabulary`` (departments, columns, areas), a ``FileStore`` and the time.

    store = FileStore(data_dir / "files")                     # also the channels' ``Files``
    use = store.take("附件1：岗位表.xlsx", upload)             # bytes or Path -> FileUse; raises Invalid
    body = clean_html(form["body"])                           # CleanBody(html, problems); paragraphs_to_html for plain text
    found = problems_of(content, vocabulary, today=today)     # every field rule; blocking first; today in Asia/Shanghai
    district = load_district(path)                            # a district in TOML -> District; raises Invalid

    for result in read_sources(paths, vocabulary, store, defaults, now):      # an import: one result per item, lazily
        match result:
            case Taken(external_ref=ref, content=content):    # the same thing handed in twice has the same ref,
                ...                                           # and the same result.digest if nothing changed
            case Refused(source, row, title, problems):
                ...

An import works in two steps where relations are concerned: ``Taken.content.relations`` name external references of the same
import (or public ids); the caller puts public ids in their place once the items exist. ``Taken.index_no`` is the index number
that came with the item, which stays the same for ever and is no part of the content.

| room | what it does |
|---|---|
| ``text`` ``dates`` | characters, encodings, dates as people write them |
| ``body`` | HTML to the tags every channel can show, summaries |
| ``sniff`` ``archives`` ``pictures`` ``files`` | what a file really is, bounds, re-encoding, keeping it by its digest |
| ``extract`` ``secrecy`` | the words inside files, and marks of classified papers among them |
| ``vocabulary`` ``rules`` ``rules_details`` | what a field may say |
| ``fields`` ``record`` ``assemble`` ``sources`` ``report`` | imports: JSON, spreadsheets (and their template), Word, Markdown |
| ``district`` | a district described in TOML |
"""
