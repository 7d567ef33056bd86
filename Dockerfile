# Two stages: wheels are checked by their hashes and built first; what runs has no compiler, no pip cache and no root.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/hub && /opt/hub/bin/pip install --quiet --require-hashes -r requirements.txt \
 && python -m venv /opt/build && /opt/build/bin/pip install --quiet --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY hub ./hub
COPY channels ./channels
COPY workers ./workers
COPY templates ./templates
RUN /opt/build/bin/python -m hatchling build -t wheel -d /wheels \
 && /opt/hub/bin/pip install --quiet --no-deps --no-index /wheels/*.whl \
 && /opt/hub/bin/python -m compileall -q /opt/hub/lib

FROM python:3.11-slim-bookworm
ENV PATH=/opt/hub/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HUB_DATA_DIR=/data HUB_SITE_DIR=/site HUB_HOST=0.0.0.0 HUB_PORT=8000
# The folders belong to the user before a volume is laid over them: a new named volume takes their owner.
RUN groupadd --gid 10001 hub && useradd --uid 10001 --gid hub --home-dir /data --shell /usr/sbin/nologin hub \
 && install -d -o hub -g hub -m 0750 /data && install -d -o hub -g hub -m 0755 /site
COPY --from=build /opt/hub /opt/hub
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/site"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 CMD ["python", "-m", "hub.alive", "http://127.0.0.1:8000/healthz"]
CMD ["hub", "web"]
