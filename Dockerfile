# docker build --tag functionary-sgl .
# docker run --gpus all --shm-size 8g --publish 8000:8000 --volume functionary-cache:/cache functionary-sgl \
#   serve --model-path meetkai/functionary-small-v3.2
#
# Without --gpus it serves the embedded model on the processor. docs/deployment.md says more.

FROM python:3.12-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY templates templates
COPY functionary_sgl functionary_sgl
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

# That of CUDA for which torch of constraints.txt is built. With the compiler, since SGLang and
# FlashInfer build kernels for the GPU that they find.
FROM nvidia/cuda:13.0.3-devel-ubuntu24.04

# Python's headers are for Triton. Versions are the distribution's: it keeps but the last of each.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
    ca-certificates g++ libnuma1 python3.12 python3.12-dev python3.12-venv tini \
 && rm -rf /var/lib/apt/lists/*

# All caches are in the home: weights, kernels, compiled graphs.
RUN useradd --system --uid 10001 --user-group --home-dir /cache --create-home functionary

# Of libraries only the driver's, where some clouds mount it: torch brings those of CUDA, and newer.
ENV VIRTUAL_ENV=/opt/functionary-sgl \
    PATH=/opt/functionary-sgl/bin:$PATH \
    LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64
COPY pyproject.toml constraints.txt /source/
WORKDIR /source
RUN python3.12 -m venv /opt/functionary-sgl \
 && pip install --no-cache-dir uv==0.13.9 \
 && uv pip install --no-cache --compile-bytecode --constraint constraints.txt --requirement pyproject.toml

COPY --from=wheel /wheels /wheels
RUN uv pip install --no-cache --compile-bytecode --no-deps /wheels/*.whl

ENV HOME=/cache FUNCTIONARY_HOST=0.0.0.0 FUNCTIONARY_PORT=8000
EXPOSE 8000
USER 10001:10001
WORKDIR /cache

HEALTHCHECK --interval=10s --timeout=5s --start-period=30m --retries=3 CMD ["python", "-c", \
  "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"FUNCTIONARY_PORT\"]}/health')"]

# A first process that is no init would not get SIGTERM before its handlers are there.
ENTRYPOINT ["tini", "--", "functionary-sgl"]
CMD ["serve"]
