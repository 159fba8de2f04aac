# SPDX-License-Identifier: MIT
"""Lets each call of the examples fail, one in each run, and looks at what becomes of them.

usage: nth.py EXAMPLES LIBRARY REACTOR... [--cert FILE --ca FILE] [--built DIRECTORY]
              [--only LIST] [--most N] [--jobs N] [--fault NAME:N:ERRNO]

LIBRARY is nth_*.c, built; DIRECTORY has the programs of the tutorial and the recipes. Each example runs without a fault first, which tells what it calls and
how often; then once for each call and each error that the call may give. Of a function that is
called more than --most times so many calls are taken, half of them from the beginning.

What is expected of a program that ends by itself: what it prints without a fault, or a line that
says what failed and a status between 1 and 125. Of a server: the same before it has served
anybody; or it serves, at most one client notices, the last one is served, SIGTERM ends it, and
as much memory and as many descriptors are left as without the fault. Prints a line for each
example and reactor, and one for each failure. --fault repeats one, and shows what the program
printed and which function made the call that failed.
"""
import argparse, concurrent.futures, os, sys

import process
from cases import cases, helpers
from process import Wrong


def judged(case, reactor, fault, plain):
    """Runs the case with a fault; returns what is wrong, or None."""
    try:
        status, report = case.run(reactor, fault)
        if status == 0 and not report['foreign']: # OpenSSL loses memory when it has none
            for what in ('blocks', 'descriptors'):
                if report[what] > plain[what]:
                    return f'{what} left: {report[what]}, without the fault {plain[what]}'
    except Wrong as error:
        return str(error)


def check(case, reactor, pool):
    """Returns the number of runs and of failures."""
    try:
        reports = [case.run(reactor)[1] for _ in range(2)] # they differ a little
    except Wrong as error:
        print(f'FAILED {case.name} on {reactor} without a fault: {error}', flush=True)
        return 1, 1
    plain = {name: max(report[name] for report in reports) for name in reports[0]}
    todo = [options.fault] if options.fault else case.faults(plain)
    failures = 0
    for fault, wrong in zip(todo, pool.map(lambda each: judged(case, reactor, each, plain), todo)):
        if wrong:
            failures += 1
            print(f'FAILED {case.name} on {reactor} with {fault}: {wrong}', flush=True)
    print(f'{case.name} on {reactor}: {len(todo)} faults, {failures} failures', flush=True)
    return len(todo), failures


def main():
    global options
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('examples')
    parser.add_argument('library')
    parser.add_argument('reactors', nargs='+')
    parser.add_argument('--cert')
    parser.add_argument('--ca')
    parser.add_argument('--built')
    parser.add_argument('--only', type=lambda text: text.split(','))
    parser.add_argument('--most', type=int, default=100)
    parser.add_argument('--jobs', type=int, default=4)
    parser.add_argument('--fault')
    options = process.options = parser.parse_args()
    built = os.path.join(options.examples, '..', '.libs')
    os.environ['LD_LIBRARY_PATH'] = f"{built}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    sums = []
    with helpers(), concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for number, case in enumerate(cases()):
            if not case.is_there() or options.only and case.name not in options.only:
                continue
            sums += [check(case, reactor, pool) for reactor in case.on(number)]
    runs, failures = map(sum, zip(*sums))
    print(f'{100 * (runs - failures) // runs}%: Checks: {runs}, Failures: {failures}, Errors: 0')
    sys.exit(failures > 0)


if __name__ == '__main__':
    main()
