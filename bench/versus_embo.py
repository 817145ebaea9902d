#!/usr/bin/env python3
"""The bound beside the package `embo` (PyPI; numpy, alternating minimisation, one thread per beta): the same joint, the
same betas, processor time of both, and what each functional comes to.

  pip install embo numpy
  bench/versus_embo.py build/bench/bin/bench-bound [--words 150] [--samples 3000] [--betas 12]

The joint is one that embo can hold: it keeps dense tables of x * y. Both get as many codewords as there are x."""
import argparse, os, resource, subprocess, tempfile, time, warnings
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument('program')
parser.add_argument('--words', type=int, default=150)
parser.add_argument('--samples', type=int, default=3000)
parser.add_argument('--betas', type=int, default=12)
parser.add_argument('--effort', default='normal')
a = parser.parse_args()
warnings.filterwarnings('ignore')
from embo import InformationBottleneck

rng = np.random.default_rng(1)
x = np.minimum(np.exp(rng.random(a.samples) * np.log(a.words)).astype(int) - 1, a.words - 1)
topic = rng.random(a.samples) < 0.6
y = np.where(topic, x * 7 % a.words, np.exp(rng.random(a.samples) * np.log(a.words)).astype(int) - 1)
pairs, counts = np.unique(np.stack([x, y], 1), axis=0, return_counts=True)
nx, ny = len(np.unique(x)), len(np.unique(y))
_, xi = np.unique(pairs[:, 0], return_inverse=True)
_, yi = np.unique(pairs[:, 1], return_inverse=True)
joint = np.zeros((nx, ny))
joint[xi, yi] = counts
joint /= joint.sum()
betas = np.linspace(1.05, 30, a.betas)  # embo spaces them evenly
print(f'{nx} x, {ny} y, {len(pairs)} pairs, {a.betas} betas')

children = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])  # embo works in a pool of processes
start, before = time.perf_counter(), children()
ix, iy, _, embo_beta = InformationBottleneck(pxy=joint, minbeta=float(betas[0]), maxbeta=float(betas[-1]),
                                             numbeta=a.betas, processes=1, ensure_monotonic_bound=False).get_bottleneck()
embo_wall, embo_cpu = time.perf_counter() - start, children() - before
print(f'embo      {embo_wall:8.2f} s, processor {embo_cpu:8.2f} s')

with tempfile.TemporaryDirectory() as folder:
    names = []
    for name, values in (('x', xi), ('y', yi), ('c', counts)):
        names.append(os.path.join(folder, name + '.npy'))
        np.save(names[-1], values.astype(np.int32))
    out = subprocess.run([a.program, *names, '--bins', str(nx), '--threads', '1', '--effort', a.effort, '--beta',
                          ','.join('%.9f' % b for b in betas)], capture_output=True, text=True, check=True).stdout
lines = out.splitlines()
wall, cpu = float(lines[-1].split()[0]), float(lines[-1].split()[3])
print(f'infoplane {wall:8.2f} s, processor {cpu:8.2f} s')
ours = {float(l.split()[0]): (float(l.split()[1]), float(l.split()[2])) for l in lines[2:-1]}
worst = best = 0.0
for b, u, v in zip(embo_beta, ix, iy):
    near = min(ours, key=lambda o: abs(o - b))
    if abs(near - b) > 1e-6 * b:
        continue
    shortfall = ((ours[near][0] - near * ours[near][1]) - (u - b * v)) / b  # both in bits
    worst, best = max(worst, shortfall), min(best, shortfall)
print(f'ratio of processor times {embo_cpu / cpu:.1f}; functional/beta against embo: at most {worst:.5f} bits worse, '
      f'up to {-best:.5f} bits better')
