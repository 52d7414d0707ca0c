"""Dataset -> HTML -> PDF. The only package that knows WeasyPrint, and it does so in a child process."""
