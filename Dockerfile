# The server in a container; docs/server.md says how it was tried.
#
#   docker build -t facemood .
#   docker run --rm -p 127.0.0.1:8000:8000 -e FACEMOOD_TOKEN=choose-one-that-is-long facemood
#
# then open http://127.0.0.1:8000/?token=choose-one-that-is-long

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN python -m venv /opt/facemood && /opt/facemood/bin/pip install --no-cache-dir ".[serve,data]"

FROM python:3.12-slim
RUN useradd --system --create-home --uid 10001 facemood
COPY --from=build /opt/facemood /opt/facemood
ENV PATH=/opt/facemood/bin:$PATH PYTHONUNBUFFERED=1 OMP_WAIT_POLICY=PASSIVE
USER 10001
WORKDIR /home/facemood
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Inside, 0.0.0.0 is what the container's port leads to; other machines need the token, which is printed where none is set.
CMD ["facemood", "serve", "--host", "0.0.0.0", "--port", "8000"]
