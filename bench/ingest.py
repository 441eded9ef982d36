"""The rival of bench/ingest.ts: Hugging Face datasets with the same counts, on as many processes as cores."""

import hashlib
import json
import re
import resource
import sys
import time

from datasets import load_dataset

path, processes, cache = sys.argv[1], int(sys.argv[2]), sys.argv[3]
closing = re.compile(r"</think>")


def count(row):
    prompt = row["messages"][0]["content"]
    text = row["messages"][1]["content"]
    parts = closing.split(text)
    reasoning = parts[0].removeprefix("<think>").strip() if len(parts) < 3 else ""
    answer = parts[1].strip() if len(parts) == 2 else ""
    return {
        "prompt_words": len(prompt.split()),
        "reasoning_words": len(reasoning.split()),
        "answer_words": len(answer.split()),
        "reasoning_waits": reasoning.count("Wait"),
        "answer_waits": answer.count("Wait"),
        "complete": len(parts) == 2 and answer != "",
        "prompt_key": hashlib.sha256(prompt.encode()).hexdigest()[:32],
        "id": hashlib.sha256((prompt + "\0" + text).encode()).hexdigest()[:16],
    }


begin = time.monotonic()
rows = load_dataset("json", data_files=path, split="train", cache_dir=cache)
loaded = time.monotonic()
counted = rows.map(count, num_proc=processes)
end = time.monotonic()
own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
peak = own.ru_maxrss + processes * children.ru_maxrss
print(json.dumps({
    "load": loaded - begin,
    "map": end - loaded,
    "rows": len(counted),
    "peak": peak * 1024,
    "cpu": own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime,
    "words": sum(counted["prompt_words"]) + sum(counted["reasoning_words"]) + sum(counted["answer_words"]),
    "waits": sum(counted["reasoning_waits"]) + sum(counted["answer_waits"]),
    "complete": sum(counted["complete"]),
}))
