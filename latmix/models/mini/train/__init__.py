"""How the built-in models and demo pictures were made, so that anyone can make them again.

`python -m latmix.models.mini.train STAGE --folder FOLDER`; the README beside this file has the
commands. Nothing in latmix imports this package at run time. Only the stages
`data` and `demo` use the network (npm); the others read the one file `data` writes and run on a CPU
or a GPU.
"""
