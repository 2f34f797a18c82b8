"""check_pytorch.py COLUMNS.safetensors LIMIT: projects `columns` ([P, H], units of the scale) as training by PyTorch does.

Prints one JSON line: {"error": sum of squared distances, "most": most ones of a bit column}.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'src', 'training', 'pytorch'))

import torch
from safetensors.torch import load_file

from bit_projection import nearest_codes, nearest_table, project

device = 'cuda' if torch.cuda.is_available() else 'cpu'
columns = load_file(sys.argv[1])['columns'].to(device)
codes = nearest_codes(columns, project(columns, int(sys.argv[2])), nearest_table(device))
most = 0
for signed in (codes.clamp(min=0), (-codes).clamp(min=0)):
    for plane in range(7):
        most = max(most, int(((signed.int() >> plane) & 1).sum(1).max()))
print(json.dumps({'error': ((columns - codes).double() ** 2).sum().item(), 'most': most}))
