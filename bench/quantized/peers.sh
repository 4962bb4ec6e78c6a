# Sourced: peers FOLDER PACKAGES... makes FOLDER a Python environment with these packages from PyPI.
peers() {
  [ -x "$1/bin/python" ] || python3 -m venv "$1"
  "$1/bin/pip" install -q "${@:2}"
}
