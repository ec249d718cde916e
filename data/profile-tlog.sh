# Placed by bg-unlock install, taken away by bg-unlock uninstall.
# --record tlog: what @ACCOUNT@'s terminals show is recorded. Nobody else's shell does more here than
# compare a number, and @ACCOUNT@'s own goes on unrecorded where anything of this does not work.
if [ -n "${BASH_VERSION-}" ] && [ "${UID-}" = "@UID@" ] && [ -z "${BREAKGLASS_TLOG-}" ] &&
	[ -t 0 ] && [ -t 1 ] && [ -x /usr/libexec/breakglass/breakglass-tlog ]; then
	case $- in
	*i*) /usr/libexec/breakglass/breakglass-tlog && exit ;;
	esac
fi
