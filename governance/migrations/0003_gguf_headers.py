"""A version whose facts were read from a GGUF header has no `config.json`; it stands on the digest of that header."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0002_four_eyes'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='modelversion',
            name='model_version_facts_from_known',
        ),
        migrations.RemoveConstraint(
            model_name='modelversion',
            name='model_version_files_have_digests',
        ),
        migrations.AlterField(
            model_name='modelversion',
            name='facts_from',
            field=models.CharField(choices=[('files', "the model's own files"), ('catalogue', 'the catalogue'), ('gguf', 'a GGUF header')], max_length=20, verbose_name='facts from'),
        ),
        migrations.AlterField(
            model_name='modelversion',
            name='header_sha256',
            field=models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the header of the weights'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(('facts_from__in', ['files', 'catalogue', 'gguf'])), name='model_version_facts_from_known'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(('facts_from', 'catalogue'), models.Q(('config_sha256__regex', '^[0-9a-f]{64}$'), ('facts_from', 'files')), models.Q(('facts_from', 'gguf'), ('header_sha256__regex', '^[0-9a-f]{64}$')), _connector='OR'), name='model_version_files_have_digests'),
        ),
    ]
