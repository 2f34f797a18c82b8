"""What check-pytorch.mjs runs in PyTorch.

    check_pytorch.py project COLUMNS.safetensors LIMIT PLANES    projects `columns` ([P, H], units of the scale)
    check_pytorch.py stop JOB.json EPOCHS                        trains so many epochs and ends as if interrupted

`project` prints one JSON line: {"error": sum of squared distances, "most": most ones of a bit column}.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'src', 'training', 'pytorch'))

import torch
from safetensors.torch import load_file

import run_job
from bit_projection import nearest_codes, nearest_table, project


def projected(path, limit, planes):
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    columns = load_file(path)['columns'].to(device)
    codes = nearest_codes(columns, project(columns, limit, planes=planes), nearest_table(device, planes))
    most = 0
    for signed in (codes.clamp(min=0), (-codes).clamp(min=0)):
        for plane in range(7):
            most = max(most, int(((signed.int() >> plane) & 1).sum(1).max()))
    print(json.dumps({'error': ((columns - codes).double() ** 2).sum().item(), 'most': most}))


def stop(path, epochs):
    keep = run_job.Training.keep

    def keep_and_stop(training, *rest):
        keep(training, *rest)
        if len(training.curve) == epochs:
            sys.exit(0)

    run_job.Training.keep = keep_and_stop
    run_job.KEEP_EVERY = 0
    run_job.Job(path).run()


if sys.argv[1] == 'project':
    projected(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    stop(sys.argv[2], int(sys.argv[3]))
