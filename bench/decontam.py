"""Rivals of `npm run bench -- decontam`: open-r1's rule, RapidFuzz over all pairs, datatrove where it installs.
usage: decontam.py TEXTS.json ITEMS.json THRESHOLD WORKERS  (texts: a list; items: a list of questions)"""
import json
import sys
import time
from collections import defaultdict

texts, items = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
threshold, workers = int(sys.argv[3]), int(sys.argv[4])


def ngrams(text, size=10):
    words = " ".join(text.lower().strip().split()).split()
    return [" ".join(words[i : i + size]) for i in range(len(words) - size + 1)]


def open_r1():
    lookup = defaultdict(set)
    for index, item in enumerate(items):
        for ngram in ngrams(item):
            lookup[ngram].add(index)
    return [i for i, text in enumerate(texts) if any(ngram in lookup for ngram in ngrams(text))]


def rapidfuzz():
    import numpy
    from rapidfuzz import fuzz, process

    found = set()
    step = 2000
    for start in range(0, len(texts), step):
        scores = process.cdist(
            texts[start : start + step], items, scorer=fuzz.ratio, score_cutoff=threshold, workers=workers, dtype=numpy.float64
        )
        found.update((start + numpy.nonzero((scores >= threshold).any(axis=1))[0]).tolist())
    return sorted(found)


answers = {}
for name, run in [("open-r1's 10-gram rule", open_r1), ("RapidFuzz cdist, all pairs", rapidfuzz)]:
    begin = time.perf_counter()
    cpu = time.process_time()
    try:
        flagged = run()
        answers[name] = {
            "seconds": time.perf_counter() - begin,
            "cpu": time.process_time() - cpu,
            "flagged": flagged,
        }
    except ImportError as error:
        answers[name] = {"error": str(error)}
json.dump(answers, sys.stdout)
