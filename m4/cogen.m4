# SPDX-License-Identifier: MIT
# Macros for what configure.ac needs more than once.

# CG_FLAGS(VARIABLE, FLAGS): appends to VARIABLE each of FLAGS that the compiler knows. The
# user's CFLAGS are not changed. Tests with -Werror, because clang only warns of unknown flags.
AC_DEFUN([CG_FLAGS], [
for cg_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([cg_cache], [cg_cv_flag_$cg_flag])
    AC_CACHE_CHECK([whether $CC takes $cg_flag], [cg_cache], [
        cg_saved=$CFLAGS
        # gcc accepts an unknown -Wno-x silently, so -Wx is tested.
        CFLAGS="$CFLAGS -Werror `AS_ECHO(["$cg_flag"]) | sed 's/^-Wno-/-W/'`"
        AC_LINK_IFELSE([AC_LANG_PROGRAM], [AS_VAR_SET([cg_cache], [yes])],
            [AS_VAR_SET([cg_cache], [no])])
        CFLAGS=$cg_saved])
    AS_VAR_IF([cg_cache], [yes], [AS_VAR_APPEND([$1], [" $cg_flag"])])
    AS_VAR_POPDEF([cg_cache])
done
])

# CG_CONSTANTS(NAMES): defines CG__NAME for each constant of sockets: NAME, or -1 if this
# system lacks it.
AC_DEFUN([CG_CONSTANTS], [m4_foreach_w([cg_constant], [$1],
    [AC_CHECK_DECL(cg_constant, [cg_value=cg_constant], [cg_value=-1],
        [[#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>]])
    AC_DEFINE_UNQUOTED([CG__]cg_constant, [$cg_value], [The constant without CG__, or -1.])
])])

# CG_OPTION(NAME, VARIABLE, MODULE, PACKAGE, WHAT): like CG_LIBRARY, for a library that is not
# for a reactor. --without-NAME leaves out WHAT.
AC_DEFUN([CG_OPTION], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--without-$1], [leave $5])], [], [with_$1=auto])
AS_CASE([$with_$1],
    [no], [have_$1="no (--without-$1)"],
    [PKG_CHECK_MODULES([$2], [$3], [have_$1=yes],
        [AS_CASE([$with_$1],
            [auto], [have_$1="no (pkg-config finds no $3; in Debian: $4)"],
            [AC_MSG_ERROR([--with-$1: pkg-config finds no $3 (in Debian: $4)])])])])
AS_IF([test "x$have_$1" = xyes],
    [$2_CFLAGS=`AS_ECHO(["$$2_CFLAGS"]) | sed 's/^-I/-isystem /; s/ -I/ -isystem /g'`],
    [$2_CFLAGS= $2_LIBS=])
])

# CG_LLHTTP: finds llhttp, the HTTP parser. Sets have_http to library (a system libllhttp),
# sources (its C sources, which Debian's node-llhttp has) or no, http to the same in words, and
# LLHTTP_CFLAGS, LLHTTP_LIBS. With --with-llhttp=DIR, the sources are searched in DIR/share.
AC_DEFUN([CG_LLHTTP], [
AC_ARG_WITH([llhttp], [AS_HELP_STRING([--with-llhttp=PREFIX],
    [where node-llhttp keeps its sources (/usr); --without-llhttp leaves HTTP out])],
    [], [with_llhttp=auto])
AS_CASE([$with_llhttp], [auto|yes], [cg_llhttp=/usr], [cg_llhttp=$with_llhttp])
have_http=no
AS_CASE([$with_llhttp],
    [no], [http="no (--without-llhttp)"],
    [auto|yes], [PKG_CHECK_MODULES([LLHTTP], [libllhttp >= 8.1],
        [have_http=library http="yes, with the system's libllhttp"], [:])])
AS_IF([test "x$with_llhttp,$have_http" != xno,no && test "x$have_http" = xno],
    [AS_IF([test -r "$cg_llhttp/share/llhttp/llhttp.c" &&
            test -r "$cg_llhttp/share/include/llhttp/llhttp.h"],
        [have_http=sources http="yes, with llhttp from $cg_llhttp/share/llhttp"
        LLHTTP_CFLAGS="-isystem $cg_llhttp/share/include/llhttp -DLLHTTP_STRICT_MODE=1"
        LLHTTP_SOURCES="-isystem $cg_llhttp/share/llhttp" LLHTTP_LIBS=],
        [http="no (neither libllhttp >= 8.1 nor node-llhttp; in Debian: node-llhttp)"
        AS_CASE([$with_llhttp], [auto], [],
            [AC_MSG_ERROR([--with-llhttp: there is no llhttp (in Debian: node-llhttp)])])])])
AC_SUBST([LLHTTP_CFLAGS])
AC_SUBST([LLHTTP_SOURCES])
AC_SUBST([LLHTTP_LIBS])
])

# CG_LIBRARY(NAME, VARIABLE, MODULE, PACKAGE): an optional library, found by pkg-config and left
# out by --without-NAME. Sets have_NAME to yes, or to "no" and the reason in words. With
# --with-NAME it is an error if it is not found. VARIABLE_CFLAGS use -isystem, since inline
# functions of the library would cause warnings.
AC_DEFUN([CG_LIBRARY], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--without-$1], [leave $1 out])],
    [], [with_$1=auto])
AS_CASE([$with_$1],
    [no], [have_$1="no (--without-$1)"],
    [PKG_CHECK_MODULES([$2], [$3], [have_$1=yes],
        [AS_CASE([$with_$1],
            [auto], [have_$1="no (pkg-config finds no $3; in Debian: $4)"],
            [AC_MSG_ERROR([--with-$1: pkg-config finds no $3 (in Debian: $4)])])])])
AS_IF([test "x$have_$1" = xyes],
    [$2_CFLAGS=`AS_ECHO(["$$2_CFLAGS"]) | sed 's/^-I/-isystem /; s/ -I/ -isystem /g'`],
    [$2_CFLAGS= $2_LIBS=])
])
