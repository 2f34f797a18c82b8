"""Executes one notebook; called by run-notebook.ts as `python run_notebook.py JOB`, JOB being JSON.

Writes events as JSON lines to stdout. Exit status 0 means that every cell ran and the output is written.
"""

import json
import os
import signal
import sys
import threading

PROGRESS = "application/vnd.cim-pruning.progress+json"

# Events have stdout for themselves: whatever the kernel prints outside its messages goes to stderr.
events = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def tell(kind, **content):
    events.write(json.dumps({"event": kind, **content}) + "\n")
    events.flush()


def end_with_parent():
    """The caller holds the other end of stdin; when it is gone, so are we (and our kernel after us)."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


try:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
except ImportError as error:
    tell("unfit", message=f"{error}")
    sys.exit(1)


class Client(NotebookClient):
    """Passes on the progress that a cell displays."""

    def process_message(self, msg, cell, cell_index):
        content = msg["content"]
        if msg["msg_type"] in ("display_data", "update_display_data") and PROGRESS in content.get("data", {}):
            tell("progress", **content["data"][PROGRESS])
        return super().process_message(msg, cell, cell_index)


def run(job):
    notebook = nbformat.read(job["path"], as_version=4)
    client = Client(
        notebook,
        timeout=job["timeout"],
        kernel_name=job["kernel"],
        resources={"metadata": {"path": os.path.dirname(job["path"])}},
        record_timing=False,
        coalesce_streams=True,
        # Output may lag far behind on a busy machine; what is still missing after 4 s would be dropped silently.
        iopub_timeout=120,
        raise_on_iopub_timeout=True,
        store_widget_state=False,
    )
    cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with client.setup_kernel():
        for number, i in enumerate(cells):
            tell("cell", number=number, total=len(cells), source=notebook.cells[i].source)
            attempt(client, notebook.cells[i], i, number, execution_count=number + 1)
        # A promise that was rejected after its cell ended is noticed by the next one.
        notebook.cells.append(nbformat.v4.new_code_cell("void 0;"))
        attempt(client, notebook.cells[-1], len(notebook.cells) - 1, None, store_history=False)
        notebook.cells.pop()
    tell("cell", number=len(cells), total=len(cells), source="")
    clean(notebook, job)
    temporary = f"{job['output']}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            nbformat.write(notebook, file)
        os.replace(temporary, job["output"])
    except OSError as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        tell("unwritten", message=error.strerror)
        sys.exit(1)


def attempt(client, cell, index, number, **options):
    """Runs a cell; number None is the one that was put after the last."""
    place = {} if number is None else {"cell": number + 1, "source": cell.source}
    try:
        client.execute_cell(cell, index, **options)
    except CellExecutionError as error:
        outputs = [o for o in cell.outputs if o.output_type == "error"]
        fail(
            **place,
            message=f"{error.ename}: {error.evalue}",
            traceback="\n".join(outputs[0].traceback) if outputs else "",
            stderr=printed(cell),
        )
    except CellTimeoutError:
        fail(**place, message=f"no end after {client.timeout} s", stderr=printed(cell))
    except DeadKernelError:
        fail(**place, message="the kernel died", stderr=printed(cell))


def printed(cell):
    return "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr")


class Failed(Exception):
    pass


def fail(**content):
    tell("failed", **content)
    raise Failed


def clean(notebook, job):
    """Leaves nothing of this machine or of this moment: no paths, no times, no progress bars."""
    notebook.metadata["kernelspec"] = {
        "display_name": job["displayName"],
        "language": "typescript",
        "name": job["kernel"],
    }
    notebook.metadata["language_info"] = {
        "codemirror_mode": {"mode": "typescript", "name": "javascript", "typescript": True},
        "file_extension": ".ts",
        "mimetype": "text/typescript",
        "name": "typescript",
    }
    notebook.metadata.pop("widgets", None)
    notebook.metadata.pop("cim-pruning", None)
    if job["parameters"]:
        notebook.metadata["cim-pruning"] = without_paths({"parameters": job["parameters"]}, job["hide"])
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [without_paths(o, job["hide"]) for o in cell.outputs if PROGRESS not in o.get("data", {})]


def without_paths(value, hide):
    if isinstance(value, str):
        for path, name in hide:
            value = value.replace(path, name)
        return value
    if isinstance(value, list):
        return [without_paths(item, hide) for item in value]
    if isinstance(value, dict):
        for key in value:
            if key != "image/png":
                value[key] = without_paths(value[key], hide)
    return value


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        run(json.loads(sys.argv[1]))
    except Failed:
        sys.exit(1)
