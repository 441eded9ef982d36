"""faiss-cpu, scikit-learn and SuperKMeans on the vectors of a float32 file. Prints JSON: a list of {name, seconds, cpu, inertia}."""
import json
import os
import sys
import time

path, dimensions, k, threads, rivals = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5].split(",")
os.environ["OMP_NUM_THREADS"] = str(threads)
os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
import numpy as np

vectors = np.fromfile(path, dtype="f4").reshape(-1, dimensions)
results = []


def inertia(centroids):
    import faiss

    index = faiss.IndexFlatL2(dimensions)
    index.add(np.ascontiguousarray(centroids, dtype="f4"))
    _, nearest = index.search(vectors, 1)
    total = 0.0
    for start in range(0, len(vectors), 8192):
        difference = vectors[start : start + 8192].astype("f8") - centroids[nearest[start : start + 8192, 0]].astype("f8")
        total += float((difference**2).sum())
    return total


for rival in rivals:
    name, _, setting = rival.partition(":")
    begin, begin_cpu = time.perf_counter(), time.process_time()
    if name == "faiss":
        import faiss

        faiss.omp_set_num_threads(threads)
        kmeans = faiss.Kmeans(dimensions, k, niter=int(setting), seed=1, max_points_per_centroid=10**9, min_points_per_centroid=1)
        kmeans.train(vectors)
        kmeans.index.search(vectors, 1)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        results.append({"name": f"faiss-cpu {faiss.__version__}, {setting} iterations + assignment", "seconds": seconds, "cpu": cpu, "inertia": inertia(kmeans.centroids)})
    elif name == "superkmeans":
        import importlib.metadata

        from superkmeans import SuperKMeans

        # flat: all points, as many iterations as told, without an early end; hierarchical: its own defaults.
        flat = {"hierarchical": False, "iters": int(setting), "sampling_fraction": 1.0, "early_termination": False} if setting.isdigit() else {"hierarchical": True}
        kmeans = SuperKMeans(k, dimensions, n_threads=threads, seed=1, **flat)
        centroids = kmeans.train(vectors)
        kmeans.assign(vectors, centroids)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        version = importlib.metadata.version("superkmeans")
        results.append({"name": f"SuperKMeans {version}, {setting}{' iterations' if setting.isdigit() else ''} + assignment", "seconds": seconds, "cpu": cpu, "inertia": inertia(centroids)})
    else:
        import sklearn
        from sklearn.cluster import MiniBatchKMeans

        steps = int(setting)
        kmeans = MiniBatchKMeans(k, batch_size=16384, max_iter=1, n_init=1, init="random", random_state=1, reassignment_ratio=0)
        rng = np.random.default_rng(1)
        for _ in range(steps):
            kmeans.partial_fit(vectors[rng.choice(len(vectors), min(16384, len(vectors)), replace=False)] if kmeans.__dict__.get("cluster_centers_") is not None else vectors[rng.choice(len(vectors), max(k, min(16384, len(vectors))), replace=False)])
        kmeans.predict(vectors)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
        results.append({"name": f"scikit-learn {sklearn.__version__} MiniBatchKMeans, {steps} steps of 16,384", "seconds": seconds, "cpu": cpu, "inertia": inertia(kmeans.cluster_centers_)})
print(json.dumps(results))
