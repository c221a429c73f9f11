"""Pictures on the screen: the mixture, inputs, results, comparisons."""
