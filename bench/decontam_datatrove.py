"""datatrove's n-gram decontamination with its own settings. Its indexer only reads tasks of an evaluation harness, so the
hashes are made here as it makes them.
usage: decontam_datatrove.py TEXTS.json ITEMS.json  (texts: a list; items: a list of questions)"""
import json
import sys
import time

texts, items = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])

from datatrove.data import Document
from datatrove.pipeline.decont import NGramsDecontConfig, NGramsDecontFilter
from datatrove.utils.text import ngrams, simplify_text

begin, cpu = time.perf_counter(), time.process_time()
config = NGramsDecontConfig()
judge = NGramsDecontFilter(".", config)


def hashes(text):
    words = judge.tokenizer.word_tokenize(simplify_text(text, config.norm_config))
    return [judge.hash_func(" ".join(gram)) for gram in ngrams(words, config.n_grams)]


judge._index_hashes = {each: "items" for item in items for each in hashes(item)}
flagged = [at for at, text in enumerate(texts) if text and judge.filter(Document(text=text, id=str(at))) is not True]
answer = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu, "flagged": flagged}
json.dump({f"datatrove, {config.n_grams}-grams": answer}, sys.stdout)
