# SPDX-License-Identifier: MIT
"""gdb commands for programs with libcogen; see "help cogen".

They read memory only, so they work on a live process and on a core file, and they write no
register. An unwinder makes gdb believe that the innermost frame of the thread was called by
the coroutine that is selected: so `up` and `info locals` show its frames.
"""

import gdb
import gdb.unwinder

LIMIT = 64  # frames of a backtrace

# Where cg__context_jump has left the registers, from the saved stack pointer on.
SAVED = {
    "i386:x86-64": (("r15", 0), ("r14", 8), ("r13", 16), ("r12", 24), ("rbx", 32),
                    ("rbp", 40), ("rip", 48)),
    "aarch64": tuple((f"x{19 + i}", 8 * i) for i in range(12)) + (("pc", 88),),
}
FRAME = {"i386:x86-64": ("rsp", 56), "aarch64": ("sp", 160)}

# Structs of operation types that have none of their own name.
SHARED = {
    "join": "cg_coro_op", "cancel": "cg_coro_op", "activate": "cg_coro_op",
    "suspend": "cg_plain_op", "pass": "cg_plain_op", "all": "cg_any_op",
}

STATES = ("ready", "running", "waiting", "finished")
PENDING = 2  # of enum cg_op_state


def word(address):
    data = gdb.selected_inferior().read_memory(address, 8)
    return int.from_bytes(bytes(data), "little")


def plain(name):
    """A name in one line that commands no terminal: it may come from a stranger."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)


def text(value):
    try:
        return plain(value.string())
    except (gdb.error, UnicodeError):
        return "?"


def architecture():
    name = gdb.selected_inferior().architecture().name()
    if name not in SAVED:
        raise gdb.GdbError(f"cogen: no backtraces on {name}")
    return name


class Unwinder(gdb.unwinder.Unwinder):
    """Puts a suspended context behind the innermost frame of the selected thread."""

    def __init__(self):
        super().__init__("cogen")
        self.sp = None  # of the context; None: no one is selected
        self.real = None  # the stack pointer and pc of the innermost frame

    def __call__(self, frame):
        if self.sp is None:
            return None
        name = architecture()
        stack, size = FRAME[name]
        pc = "rip" if stack == "rsp" else "pc"
        here = int(frame.read_register(stack)), int(frame.read_register(pc))
        if here != self.real:
            return None

        # gdb takes a stack that does not grow from frame to frame for a corrupt one. So the
        # innermost frame is said to lie below the context's.
        class Id:
            sp, pc = gdb.Value(self.sp), gdb.Value(here[1])

        info = frame.create_unwind_info(Id)
        unsigned = gdb.lookup_type("unsigned long")
        for register, offset in SAVED[name]:
            info.add_saved_register(
                register, gdb.Value(word(self.sp + offset)).cast(unsigned))
        info.add_saved_register(stack, gdb.Value(self.sp + size).cast(unsigned))
        return info

    def select(self, sp):
        """Selects a context; None: the thread itself."""
        self.sp = None
        gdb.invalidate_cached_frames()
        if sp is None:
            return
        newest = gdb.newest_frame()
        self.real = (int(newest.read_register(FRAME[architecture()][0])), newest.pc())
        self.sp = sp
        gdb.invalidate_cached_frames()


unwinder = Unwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


def forget(_event):
    unwinder.sp = None


gdb.events.cont.connect(forget)


def pointer(name):
    return gdb.lookup_type(name).pointer()


def schedulers():
    entry = gdb.parse_and_eval("cg__registry_first")
    entry = entry.cast(pointer("struct cg__registry_entry"))
    while int(entry):
        if int(entry["sched"]):
            yield entry["sched"].cast(pointer("struct cg_sched"))
        entry = entry["next"]


class Coro:
    """A coroutine, or a generator outside coroutines."""

    def __init__(self, value, number, generator=False):
        self.value, self.number, self.generator = value, number, generator
        self.name = text(value["name"])

    def state(self):
        if self.generator:
            return "suspended"
        return STATES[int(self.value["state"])]

    def op(self):
        return None if self.generator or not int(self.value["op"]) else self.value["op"]

    def contexts(self):
        """The contexts whose frames are its own, the innermost first."""
        if self.generator or self.state() != "running":
            own, inner = self.value["ctx"], None
            if not self.generator and int(self.value["inner"]):
                inner = self.value["inner"]
            while inner is not None and int(inner) != int(own.address):
                yield inner.dereference()
                inner = inner.cast(pointer("struct cg_gen"))["back"]
            yield own

    def line(self):
        what = f"in generator, {self.state()}" if self.generator else self.state()
        if self.op() is not None:
            what = describe(self.op())
        who = " (branch)" if not self.generator and self.value["internal"] else ""
        return f"{self.number:>6} {self.name}{who}: {what}"


def of_type(op):
    """The name of an op's type, and the struct that its operations are."""
    name = text(op["type"]["name"])
    candidates = [SHARED.get(name, ""), f"cg_{name}_op"]
    symbol = gdb.execute(f"info symbol {int(op['type']):#x}", to_string=True).split()[0]
    if symbol.endswith("_type"):
        candidates.append(symbol[:-5] + "_op")
    detail = {"readall": "cg_read_op", "writeall": "cg_write_op", "readuntil": "cg_read_op"}
    candidates.append(detail.get(name, ""))
    for each in candidates:
        try:
            return name, gdb.lookup_type("struct " + each)
        except gdb.error:
            continue
    return name, gdb.lookup_type("struct cg_op")


def scalar(value):
    """A field in a few characters, or None."""
    kind = value.type.strip_typedefs()
    if kind.name == "cg_name":
        size = int(value["len"])
        data = int(value["data"])
        if size > 4096:
            return hex(data)
        name = bytes(gdb.selected_inferior().read_memory(data, size))
        return f'"{plain(name.decode(errors="replace"))}"'
    if kind.code == gdb.TYPE_CODE_STRUCT:
        names = [field.name for field in kind.fields()]
        return scalar(value["name"]) if "name" in names else None
    if kind.code == gdb.TYPE_CODE_PTR:
        target = kind.target().strip_typedefs()
        if int(value) == 0:
            return None
        if target.code == gdb.TYPE_CODE_STRUCT:
            for field in target.fields():
                if field.name in ("name", "fd"):
                    try:
                        inner = value[field.name]
                        return f"fd {int(inner)}" if field.name == "fd" else f'"{text(inner)}"'
                    except gdb.error:
                        break
        return f"{int(value):#x}"
    if kind.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_ENUM):
        return str(int(value))
    return None


def fields(op, kind):
    """The fields of an operation behind its head."""
    if kind.name == "cg_op":
        return
    for field in kind.fields():
        if field.name is not None:
            yield field.name, op.cast(kind.pointer())[field.name]


def describe(op, depth=0):
    name, kind = of_type(op)
    if name in ("any", "all") and depth < 8:
        return f"{name} of: " + "; ".join(describe(each, depth + 1) for each in branches(op))
    said = []
    for field, value in fields(op, kind):
        if field in ("wait", "next", "prev", "link", "buf"):
            continue
        try:
            shown = scalar(value)
        except gdb.error:
            shown = "?"
        if shown is not None:
            said.append(f"{field} {shown}")
    return f"{name} {', '.join(said)}".strip()


def branches(op):
    any_op = op.cast(pointer("struct cg_any_op"))
    count = int(any_op["count"])
    for i in range(min(count, 1024)):
        each = any_op["ops"][i]
        if int(each) == 0:
            break
        yield each


def generators():
    """Generators of every thread that no coroutine runs: all stacks of the threads' pools
    that are in use."""
    before = gdb.selected_thread()
    pools = set()
    for thread in gdb.selected_inferior().threads():
        try:
            thread.switch()
            pool = gdb.parse_and_eval("'thread_stacks.c'::mine")
        except gdb.error:
            continue
        if int(pool) and int(pool) not in pools:
            pools.add(int(pool))
            yield from used_stacks(pool["stacks"])
    if before is not None and before.is_valid():
        before.switch()


def used_stacks(stacks):
    gen, slot_type = pointer("struct cg_gen"), gdb.lookup_type("struct slot")
    sizes = stacks["sizes"]
    first, last = sizes.type.range()
    for i in range(first, last + 1):
        size = sizes[i]
        if int(size["used"]) == 0:
            continue
        free, warm = set(), size["warm"]
        while int(warm):
            free.add(int(warm))
            warm = warm["next"]
        slab = size["slabs"]
        while int(slab):
            cold = {int(slab["cold"][k]) for k in range(int(slab["ncold"]))}
            for number in range(int(slab["fresh"])):
                at = int(slab["base"]) + (number + 1) * int(size["stride"]) - 64
                if number in cold or at in free:
                    continue
                slot = gdb.Value(at).cast(slot_type.pointer())
                yield gdb.Value(at - int(slot["offset"])).cast(gen)
            slab = slab["next"]


def coros(with_generators=True):
    number = 0
    for sched in schedulers():
        coro = sched["first"]
        while int(coro):
            number += 1
            yield Coro(coro, number)
            coro = coro["next"]
    if not with_generators:
        return
    for gen in generators():
        if int(gen["state"].cast(gdb.lookup_type("unsigned char"))) == 1:  # suspended
            number += 1
            yield Coro(gen, number, True)


def find(word_):
    found = [each for each in coros() if word_ in (str(each.number), each.name)]
    if not found:
        raise gdb.GdbError(f"cogen: there is no coroutine {word_}; see cogen coros")
    return found


class Traces:
    """Backtraces, as lists of (pc, description). Most coroutines wait where others do: if
    the return addresses of an earlier one lie in the same places, it is the same."""

    def __init__(self):
        self.known = []  # (offsets and addresses, frames)

    def get(self, coro):
        contexts = list(coro.contexts())
        if not contexts:
            return ("(it runs: see the threads)",)
        if len(contexts) == 1:
            return self.of_context(int(contexts[0]["sp"]))
        return tuple(line for each in contexts for line in walk(int(each["sp"]))[1])

    def of_context(self, sp):
        for places, frames in self.known:
            try:
                if places and all(word(sp + at) == pc for at, pc in places):
                    return frames
            except gdb.error:
                continue
        places, frames = walk(sp)
        if places:
            self.known.insert(0, (places, frames))
        return frames


def walk(sp):
    if sp & 1:
        return None, ("(it has not begun)",)
    before = unwinder.sp
    unwinder.select(sp)
    try:
        frame, places, lines = gdb.newest_frame().older(), [], []
        stack = FRAME[architecture()][0]
        while frame is not None and frame.is_valid() and len(lines) < LIMIT:
            if frame.type() != gdb.INLINE_FRAME:
                places.append((int(frame.read_register(stack)) - 8 - sp, frame.pc()))
            sal = frame.find_sal()
            where = f" at {sal.symtab.filename}:{sal.line}" if sal.symtab else ""
            lines.append(f"{frame.name() or hex(frame.pc())}{where}")
            frame = frame.older()
    finally:
        unwinder.select(before)
    if stack != "rsp":
        places = None
    return places, tuple(lines)


class Cogen(gdb.Command):
    """Coroutines of libcogen: cogen coros, cogen bt, cogen ops, cogen select."""

    def __init__(self):
        super().__init__("cogen", gdb.COMMAND_STACK, prefix=True)


class Coros(gdb.Command):
    """List coroutines, branches of races, and suspended generators: cogen coros."""

    def __init__(self):
        super().__init__("cogen coros", gdb.COMMAND_STACK)

    def invoke(self, _arg, _tty):
        for coro in coros():
            print(coro.line())


class Bt(gdb.Command):
    """Backtraces of coroutines: cogen bt NUMBER|NAME|all. Equal ones are shown once."""

    def __init__(self):
        super().__init__("cogen bt", gdb.COMMAND_STACK)

    def invoke(self, arg, _tty):
        if not arg:
            raise gdb.GdbError("cogen: cogen bt NUMBER|NAME|all")
        traces, groups = Traces(), {}
        for coro in coros() if arg == "all" else find(arg):
            groups.setdefault(traces.get(coro), []).append(coro)
        for lines, members in groups.items():
            if len(members) > 1:
                print(f"{len(members)} coroutines, the first is:")
            print(members[0].line())
            for level, line in enumerate(lines):
                print(f"    #{level} {line}")


class Ops(gdb.Command):
    """Show pending operations with all their fields: cogen ops [NUMBER|NAME]."""

    def __init__(self):
        super().__init__("cogen ops", gdb.COMMAND_STACK)

    def invoke(self, arg, _tty):
        for coro in find(arg) if arg else coros():
            if coro.op() is not None:
                print(coro.line())
                self.show(coro.op(), 1)

    def show(self, op, depth):
        name, kind = of_type(op)
        head = ", ".join(f"{each} {int(op[each])}" for each in
                         ("state", "result", "timeout", "deadline", "reason"))
        print("  " * depth + f"{name} = *(struct {kind.name} *) {int(op):#x}: {head}")
        for field, value in fields(op, kind):
            shown = value.format_string(max_elements=16, max_depth=2, repeat_threshold=4)
            print("  " * depth + f"    {field} = {shown}")
        if name in ("any", "all") and depth < 8:
            for each in branches(op):
                self.show(each, depth + 1)


class Select(gdb.Command):
    """Select a coroutine, so that up, down, frame and info locals show its frames:
cogen select NUMBER|NAME. Without an argument: back to the thread's own."""

    def __init__(self):
        super().__init__("cogen select", gdb.COMMAND_STACK)

    def invoke(self, arg, _tty):
        if not arg:
            unwinder.select(None)
            return
        coro = find(arg)[0]
        contexts = list(coro.contexts())
        if not contexts:
            unwinder.select(None)
            print("it runs: it has the frames of its thread")
            return
        if int(contexts[0]["sp"]) & 1:
            raise gdb.GdbError("cogen: it has not begun")
        unwinder.select(int(contexts[0]["sp"]))
        gdb.newest_frame().older().select()
        print(coro.line())
        gdb.execute("frame")


Cogen()
Coros()
Bt()
Ops()
Select()
