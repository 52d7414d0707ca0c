"""What the search looks up, and indexes for lists that do not slow down as they grow.

Both tables are made from the log by `governance.operations.indexing` and can be made again: they are no evidence, so the
app may change and delete their rows as in any ordinary table.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0010_agents_hardware_oversight'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchDocument',
            fields=[
                ('subject', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('number', models.BigIntegerField()),
                ('label', models.CharField(max_length=200)),
                ('detail', models.CharField(max_length=300)),
                ('entry_index', models.BigIntegerField()),
                ('words', django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                'db_table': 'search_document',
                'indexes': [
                    django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['words'], name='search_document_words'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('kind', 'number'), name='search_document_numbered_once'),
                    models.CheckConstraint(condition=models.Q(('number__gte', 0), ('entry_index__gte', 0)), name='search_document_not_negative'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Mention',
            fields=[
                ('pk', models.CompositePrimaryKey('target', 'subject', blank=True, editable=False, primary_key=True, serialize=False)),
                ('target', models.CharField(max_length=100)),
                ('subject', models.CharField(max_length=100)),
                ('entry_index', models.BigIntegerField()),
            ],
            options={
                'db_table': 'search_mention',
                'indexes': [models.Index(models.F('target'), models.OrderBy(models.F('entry_index'), descending=True), models.F('subject'), name='search_mention_newest')],
            },
        ),
        migrations.AddIndex(
            model_name='approvalrequest',
            index=models.Index(fields=['state', 'deployment', 'submitted_at', 'number'], name='request_queue_deployment'),
        ),
        migrations.AddIndex(
            model_name='approvalrequest',
            index=models.Index(fields=['state', 'requester', 'submitted_at', 'number'], name='request_queue_requester'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(models.OrderBy(models.F('raised_at'), descending=True), models.F('id'), name='finding_newest'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(models.F('kind'), models.OrderBy(models.F('raised_at'), descending=True), models.F('id'), name='finding_newest_of_kind'),
        ),
        migrations.AddIndex(
            model_name='modelversion',
            index=models.Index(fields=['weight_dtype'], name='model_version_weight_dtype'),
        ),
    ]
