#!/bin/sh
# Reload pgbouncer and prove that it serves what its files say. Written by novaops.
#
# RELOAD reports success before pgbouncer 1.25 even where it has failed, so this asks what is served afterwards.
set -eu
cd {{ project | shell }}
novaops alias reload
exec novaops alias check
