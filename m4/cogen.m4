# SPDX-License-Identifier: MIT
# What configure.ac says more than once.

# CG_FLAGS(VARIABLE, FLAGS): appends to VARIABLE each of FLAGS that the compiler knows. The
# user's CFLAGS are not touched. -Werror, because clang only warns of what it does not know.
AC_DEFUN([CG_FLAGS], [
for cg_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([cg_cache], [cg_cv_flag_$cg_flag])
    AC_CACHE_CHECK([whether $CC takes $cg_flag], [cg_cache], [
        cg_saved=$CFLAGS
        # Of an unknown -Wno-x gcc says nothing; ask for -Wx.
        CFLAGS="$CFLAGS -Werror `AS_ECHO(["$cg_flag"]) | sed 's/^-Wno-/-W/'`"
        AC_LINK_IFELSE([AC_LANG_PROGRAM], [AS_VAR_SET([cg_cache], [yes])],
            [AS_VAR_SET([cg_cache], [no])])
        CFLAGS=$cg_saved])
    AS_VAR_IF([cg_cache], [yes], [AS_VAR_APPEND([$1], [" $cg_flag"])])
    AS_VAR_POPDEF([cg_cache])
done
])

# CG_LIBRARY(NAME, VARIABLE, MODULE, PACKAGE): an optional library, found by pkg-config and
# left out by --without-NAME. Sets have_NAME to yes, or to "no" and the reason in words;
# asked for by --with-NAME and not found is an error. VARIABLE_CFLAGS use -isystem, since the
# library's own inline functions do not pass our warnings.
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
