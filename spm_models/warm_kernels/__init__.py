"""Kernels that start warm: a parent process imports the heavy packages once and forks a kernel for each request.

``provisioner`` is what jupyter_client loads, by the entry point ``jupyter_client.kernel_provisioners`` that the
kernelspec ``spm`` names; ``client`` finds or starts the parent and asks it for a kernel; ``parent`` is that process,
``kernel`` what a fork of it becomes, ``pages`` what makes forking cheap; ``wire`` is what they say to each other.
papermill, Voila and JupyterLab use it by the kernel's name alone.
"""
