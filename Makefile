# The same names as ./quickstart, for those who type make; arguments go into ARGS.
ARGS =

.PHONY: demo test check bench manage tamper verifier reset lock help
.DEFAULT_GOAL := demo

demo test check bench manage tamper verifier reset lock help:
	@./quickstart $@ $(ARGS)
