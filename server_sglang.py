"""Serve a model: `python server_sglang.py --model-path meetkai/functionary-small-v3.2`.

Takes every flag of SGLang's server, and those of `functionary-sgl serve --help`.
"""

import sys

from functionary_sgl.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
