"""Numbers about pictures and about sets of them: what studies, jobs and training are measured by.

Pictures are (B, 3, H, W) in [-1, 1], or PIL where two are compared; features are (n, d), a row a
picture. Nothing here knows a mixture, a store or a command.
"""
