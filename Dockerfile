# The MCP server and the local backend, as an unprivileged user. Building it is not tested: no test of this project can
# run a container.
#
#   docker build -t tfruns .
#   docker run --rm -i -e TFE_TOKEN tfruns                                    the MCP server
#   docker run --rm -p 127.0.0.1:8088:8088 -v tfruns:/data tfruns server --host 0.0.0.0 --insecure
#
# The server in the second command listens on all addresses of the container. The port is published on the loopback
# address of the host only.

FROM python:3.13-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE requirements.txt requirements-build.txt ./
COPY src ./src
RUN pip install --no-cache-dir --require-hashes -r requirements-build.txt \
    && pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && python -m venv /opt/tfruns \
    && /opt/tfruns/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
    && /opt/tfruns/bin/pip install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /home/tfruns tfruns \
    && install -d -o tfruns -g tfruns -m 0700 /data
COPY --from=build /opt/tfruns /opt/tfruns
ENV PATH=/opt/tfruns/bin:$PATH TFRUNS_DATA_DIR=/data PYTHONUNBUFFERED=1
USER tfruns
WORKDIR /home/tfruns
VOLUME /data
ENTRYPOINT ["tfruns"]
CMD ["mcp"]
